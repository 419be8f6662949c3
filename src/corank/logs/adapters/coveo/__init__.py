"""Coveo's shopping sessions (SIGIR eCom 2021 data challenge): a search with its results is one request."""

from __future__ import annotations

from corank.logs.adapters.adapter import Adapter
from corank.logs.adapters.coveo import counts, rows, tables
from corank.logs.adapters.coveo.source import FILES
from corank.logs.adapters.staged import Staged

__all__ = ["COVEO"]

_IMPORT = Staged(
    name="coveo",
    files=FILES,
    macros=rows.MACROS,
    parsed=rows.PARSED,
    steps=tables.STEPS,
    tables=tables.TABLES,
    read=counts.READ,
    unusable=counts.UNUSABLE,
)

COVEO = Adapter(
    name="coveo",
    title="Coveo shopping sessions (SIGIR eCom 2021 data challenge)",
    url="https://github.com/coveooss/SIGIR-ecom-data-challenge",
    citation=(
        "J. Tagliabue, C. Greco, J.-F. Roy, B. Yu, P. J. Chia, F. Bianchi, G. Cassani."
        " SIGIR 2021 E-Commerce Workshop Data Challenge. SIGIR eCom 2021. arXiv:2104.09423"
    ),
    write=_IMPORT.write,
)
