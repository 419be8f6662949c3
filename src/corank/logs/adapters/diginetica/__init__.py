"""Diginetica's search log (CIKM Cup 2016): a search, or a category's page, with its list is one request."""

from __future__ import annotations

from pathlib import Path

from corank.logs.adapters.adapter import Adapter
from corank.logs.adapters.diginetica import counts, rows, tables
from corank.logs.adapters.diginetica.source import FILES
from corank.logs.adapters.plan import Plan

__all__ = ["DIGINETICA"]


def plan(src: Path) -> Plan:
    """What is made of Diginetica's files in the folder `src`.

    Raises:
        CorankError: `src` does not hold the data set.
    """
    return Plan(FILES.find(src), rows.PARSED, tables.STEPS, tables.TABLES, counts.UNUSABLE, counts.READ)


DIGINETICA = Adapter(
    name="diginetica",
    title="Diginetica e-commerce search log (CIKM Cup 2016, track 2)",
    url="https://competitions.codalab.org/competitions/11161",
    citation="CIKM Cup 2016 Track 2: Personalized E-Commerce Search Challenge. Data set of DIGINETICA.",
    plan=plan,
)
