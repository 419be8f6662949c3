"""Diginetica's search log (CIKM Cup 2016): a search, or a category's page, with its list is one request."""

from __future__ import annotations

from corank.logs.adapters.adapter import Adapter
from corank.logs.adapters.diginetica import counts, rows, tables
from corank.logs.adapters.diginetica.source import FILES
from corank.logs.adapters.staged import Staged

__all__ = ["DIGINETICA"]

_IMPORT = Staged(
    name="diginetica",
    files=FILES,
    macros=rows.MACROS,
    parsed=rows.PARSED,
    steps=tables.STEPS,
    tables=tables.TABLES,
    read=counts.READ,
    unusable=counts.UNUSABLE,
)

DIGINETICA = Adapter(
    name="diginetica",
    title="Diginetica e-commerce search log (CIKM Cup 2016, track 2)",
    url="https://competitions.codalab.org/competitions/11161",
    citation="CIKM Cup 2016 Track 2: Personalized E-Commerce Search Challenge. Data set of DIGINETICA.",
    write=_IMPORT.write,
)
