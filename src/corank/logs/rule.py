"""A rule: something that must hold in a log, with the query that finds the rows that break it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import duckdb

from corank.logs.engine import parquet
from corank.logs.schemas import SCHEMAS, TABLES
from corank.logs.tables import LogTables

Severity = Literal["error", "warning"]

ROW = "__row"
"""The column by which every table's rows are numbered, in the order of its files."""


@dataclass(frozen=True)
class Rule:
    """One thing that must hold; a warning says that it is odd, not that it is wrong.

    `sentence` says what a broken row is like. `query` gives the broken rows of `table`: their numbers
    (`__row`) and the columns that make an example. Only a `droppable` rule's rows can be left out of a log.
    """

    name: str
    table: str
    column: str
    severity: Severity
    sentence: str
    query: str
    droppable: bool = True


def show_tables(connection: duckdb.DuckDBPyConnection, logs: LogTables) -> None:
    """Show a log's tables to the connection under their names, their rows numbered."""
    for table in TABLES:
        connection.execute(
            f"CREATE VIEW {table} AS SELECT *, (CAST(file_index AS BIGINT) << 40) + file_row_number AS {ROW}"
            f" FROM {parquet(logs.files(table))}"
        )


def rows(table: str, rest: str) -> str:
    """The query for those rows `t` of a table."""
    return f"SELECT {', '.join(f't.{column}' for column in (ROW, *SCHEMAS[table]))} FROM {table} t {rest}"


def null(table: str, column: str) -> Rule:
    """A required value is there."""
    rule = f"{table}-null-{column.replace('_', '-')}"
    return Rule(rule, table, column, "error", f"{column} is null", rows(table, f"WHERE t.{column} IS NULL"))


def repeated(table: str, keys: str, where: str = "true") -> str:
    """The query for rows whose keys an earlier row has; a null is not the same as another null."""
    return rows(
        table,
        f"SEMI JOIN (SELECT {keys} FROM {table} WHERE {where} GROUP BY ALL HAVING count(*) > 1)"
        f" USING ({keys}) WHERE {where} QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY t.{ROW}) > 1",
    )


def repeated_id(table: str, column: str) -> Rule:
    """An id names one row."""
    sentence = f"{column} is that of an earlier row"
    return Rule(f"{table}-repeated-id", table, column, "error", sentence, repeated(table, column))


def unknown(table: str, column: str, home: str) -> Rule:
    """An id is found in its home table."""
    query = rows(table, f"ANTI JOIN {home} USING ({column}) WHERE t.{column} IS NOT NULL")
    sentence = f"{column} is not in the table {home}"
    return Rule(f"{table}-unknown-{column.removesuffix('_id')}", table, column, "error", sentence, query)


def impossible_time(table: str) -> Rule:
    """A time is neither a slip of units nor in the future."""
    query = rows(
        table,
        "WHERE t.timestamp < TIMESTAMPTZ '1995-01-01 00:00:00+00'"
        " OR t.timestamp > current_timestamp + INTERVAL 1 DAY",
    )
    sentence = "the time is before 1995 or later than tomorrow"
    return Rule(f"{table}-impossible-time", table, "timestamp", "error", sentence, query)
