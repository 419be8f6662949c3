"""Rows parsed once, in SQL, each with the reason why it is not used if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from corank.logs.engine import quoted

Reasons = Mapping[str, tuple[str, str]]
"""Why a row is not used (the first reason that holds): by name, its condition in SQL and its meaning."""


@dataclass(frozen=True)
class Counted:
    """How many rows had something happen to them, and what it means."""

    count: int
    meaning: str


@dataclass(frozen=True)
class Copies:
    """Of usable rows with the same `key` the first by `order` is used; the others have the reason `name`."""

    name: str
    meaning: str
    key: str
    order: str


@dataclass(frozen=True)
class Parsed:
    """A table of every row of a source.

    Attributes:
        source: the files, by their name in the plan's `sources`.
        columns: what is selected of the columns read.
        unusable: conditions on what was selected.
        copies: which rows are copies of others.
        listed: a column that holds a list: the places that hold something for the first time become `ranks`.
    """

    source: str
    columns: str
    unusable: Reasons = field(default_factory=dict)
    copies: Copies | None = None
    listed: str = ""


def parse(connection: duckdb.DuckDBPyConnection, table: str, parsed: Parsed, rows: str) -> None:
    """Make a table of the query `rows`, in its order: the parsed columns, `file`, and `reason` or null."""
    query = f"SELECT {parsed.columns}, file FROM ({rows})"
    if parsed.listed:  # of a column, not of its expression, which would be computed for every element
        query = f"SELECT *, firsts({parsed.listed}) AS ranks FROM ({query})"
    cases = " ".join(f"WHEN {when} THEN {quoted(reason)}" for reason, (when, _) in parsed.unusable.items())
    query = f"SELECT *, {f'CASE {cases} END' if cases else 'CAST(NULL AS VARCHAR)'} AS reason FROM ({query})"
    if parsed.copies:
        copies = parsed.copies
        nth = f"row_number() OVER (PARTITION BY {copies.key}, reason IS NULL ORDER BY {copies.order})"
        query = (
            "SELECT * EXCLUDE (reason),"
            f" coalesce(reason, CASE WHEN {nth} > 1 THEN {quoted(copies.name)} END) AS reason FROM ({query})"
        )
    connection.execute(f"CREATE TABLE {table} AS {query}")


def count_parsed(connection: duckdb.DuckDBPyConnection, table: str, parsed: Parsed) -> dict[str, Counted]:
    """How many of a parsed table's rows are not used, by reason."""
    rows = dict(connection.execute(f"SELECT reason, count(*) FROM {table} GROUP BY 1").fetchall())
    meanings = {reason: meaning for reason, (_, meaning) in parsed.unusable.items()}
    if parsed.copies:
        meanings[parsed.copies.name] = parsed.copies.meaning
    return {reason: Counted(rows.get(reason, 0), meaning) for reason, meaning in meanings.items()}
