"""A file's rows, parsed in SQL, each with the reason it is not used if there is one."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from corank.logs.adapters.adapter import Counted
from corank.logs.adapters.reasons import Reasons, count_reasons, reason
from corank.logs.engine import quoted


@dataclass(frozen=True)
class Copies:
    """Of usable rows with the same `key` the first by `order` is used; the others have the reason `name`."""

    name: str
    meaning: str
    key: str
    order: str


@dataclass(frozen=True)
class Parsed:
    """A table of rows: the file, its columns in SQL, why a row is not used, and which rows are copies.

    `listed` is a column that holds a list: the places that hold something for the first time become `ranks`.
    """

    file: str
    columns: str
    unusable: Reasons
    copies: Copies | None = None
    listed: str = ""


def parse(connection: duckdb.DuckDBPyConnection, table: str, parsed: Parsed, rows: str) -> None:
    """Make a table of every row of the query `rows`, with the parsed columns and `reason` or null."""
    query = f"SELECT {parsed.columns} FROM ({rows})"
    if parsed.listed:  # of a column, not of its expression, which would be computed for every element
        query = f"SELECT *, firsts({parsed.listed}) AS ranks FROM ({query})"
    query = f"SELECT *, {reason(parsed.unusable)} AS reason FROM ({query})"
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
    copies = {parsed.copies.name: ("", parsed.copies.meaning)} if parsed.copies else {}
    return count_reasons(connection, table, {**parsed.unusable, **copies})
