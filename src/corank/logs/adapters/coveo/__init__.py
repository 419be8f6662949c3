"""Coveo's shopping sessions (SIGIR eCom 2021 data challenge): a search with its results is one request."""

from __future__ import annotations

from pathlib import Path

from corank.logs.adapters.adapter import Adapter
from corank.logs.adapters.coveo import counts, rows, tables
from corank.logs.adapters.coveo.source import FILES
from corank.logs.adapters.plan import Plan

__all__ = ["COVEO"]


def plan(src: Path) -> Plan:
    """What is made of Coveo's files in the folder `src`.

    Raises:
        CorankError: `src` does not hold the data set.
    """
    return Plan(FILES.find(src), rows.PARSED, tables.STEPS, tables.TABLES, counts.UNUSABLE, counts.READ)


COVEO = Adapter(
    name="coveo",
    title="Coveo shopping sessions (SIGIR eCom 2021 data challenge)",
    url="https://github.com/coveooss/SIGIR-ecom-data-challenge",
    citation=(
        "J. Tagliabue, C. Greco, J.-F. Roy, B. Yu, P. J. Chia, F. Bianchi, G. Cassani."
        " SIGIR 2021 E-Commerce Workshop Data Challenge. SIGIR eCom 2021. arXiv:2104.09423"
    ),
    plan=plan,
)
