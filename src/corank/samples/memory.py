"""A memory budget: how much of it the engine may hold, and into how many shards the users are cut for it."""

from __future__ import annotations

import math
import re

import pyarrow as pa

from corank.errors import CorankError
from corank.logs import LogTables
from corank.samples.draws import MOST_SHARDS

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}

LEAST = 600 * 10**6
"""Python, the libraries and the rows being written take about 425 MB of any budget."""

BESIDE = 425 * 10**6
"""What is not the engine's."""

WORKING_SET = 4
"""The steps hold about so many times the bytes of the tables of their users."""

TEXT_BYTES = 24
"""A short text and where it lies."""


def parse_memory(memory: str | int) -> int:
    """A budget in bytes, from a number or a text such as `2GB` or `1.5 GiB`.

    Raises:
        CorankError: it is neither, or too little to work in.

    >>> parse_memory("1.5GB")
    1500000000
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", str(memory))
    if not found or found[2].upper() not in UNITS:
        raise CorankError(f"memory = '{memory}': expected a size such as 2GB or 1500MB")
    budget = round(float(found[1]) * UNITS[found[2].upper()])
    if budget < LEAST:
        raise CorankError(
            f"memory = '{memory}': expected at least {LEAST // 10**6}MB, which the program itself needs"
        )
    return budget


def engine_share(budget: int) -> int:
    """The bytes of a budget that the engine may hold."""
    # DuckDB's limit is of its buffers; sorts and joins in flight go over it by about a third.
    return round((budget - BESIDE) * 0.7)


def shards_for(tables: LogTables, budget: int) -> int:
    """Shards of users (and of items) in which the tables are done."""
    needed = WORKING_SET * table_bytes(tables) / engine_share(budget)
    return min(MOST_SHARDS, max(1, math.ceil(needed)))


def table_bytes(tables: LogTables) -> float:
    """What the tables would take in memory, about: lists (embeddings) not counted."""
    return sum(
        tables.rows(name) * sum(_width(field.type) for field in tables.schema(name)) for name in tables.tables
    )


def _width(kind: pa.DataType) -> float:
    try:
        return float(kind.bit_width) / 8
    except ValueError:
        return TEXT_BYTES
