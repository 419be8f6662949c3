"""Leaving rows out of a log: those that break named rules, and what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from corank.logs.engine import parquet, write_parquet
from corank.logs.rule import ROW, Rule
from corank.logs.schemas import TABLES
from corank.logs.tables import LogTables
from corank.progress import Reporter


@dataclass(frozen=True)
class Dropped:
    """Rows left out by rule, and what went with them: rows by table, links of events to requests."""

    by_rule: Mapping[str, int]
    cascaded: Mapping[str, int]


def open_tables(connection: duckdb.DuckDBPyConnection, logs: LogTables) -> None:
    """Show a log's tables to the connection: `whole_TABLE` as it is, `TABLE` without rows dropped since."""
    for table in TABLES:
        connection.execute(
            f"CREATE VIEW whole_{table} AS"
            f" SELECT *, (CAST(file_index AS BIGINT) << 40) + file_row_number AS {ROW}"
            f" FROM {parquet(logs.files(table))}"
        )
        connection.execute(f"CREATE VIEW {table} AS FROM whole_{table}")


def drop_rows(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], progress: Reporter) -> Dropped:
    """Leave the rows that break `rules` out of the tables, over and over until none does."""
    for table in TABLES:
        connection.execute(f"CREATE TABLE gone_{table} ({ROW} BIGINT)")
        connection.execute(
            f"CREATE OR REPLACE VIEW {table} AS FROM whole_{table} ANTI JOIN gone_{table} USING ({ROW})"
        )
    connection.execute(f"CREATE TABLE unlinked ({ROW} BIGINT)")
    connection.execute(f"""
        CREATE OR REPLACE VIEW events AS
        SELECT e.* REPLACE (CASE WHEN u.{ROW} IS NULL THEN e.request_id END AS request_id)
        FROM whole_events e LEFT JOIN unlinked u USING ({ROW})
        ANTI JOIN gone_events g ON e.{ROW} = g.{ROW}""")
    by_rule = dict.fromkeys((rule.name for rule in rules), 0)
    cascaded = {"candidates": 0, "events": 0, "events.request_id": 0}
    found = True
    while found:
        found = False
        with progress.task("drop rows", total=len(rules)) as task:
            for rule in rules:
                rows = _insert(connection, f"gone_{rule.table}", f"SELECT {ROW} FROM ({rule.query})")
                if rows:
                    found = True
                    by_rule[rule.name] += rows
                    _cascade(connection, cascaded)
                task.advance(note=rule.name)
    return Dropped(
        {name: rows for name, rows in by_rule.items() if rows},
        {place: rows for place, rows in cascaded.items() if rows},
    )


def write_tables(connection: duckdb.DuckDBPyConnection, out: Path, progress: Reporter) -> None:
    """Write the tables without the dropped rows, in their order."""
    with progress.task("write logs", total=len(TABLES)) as task:
        for table in TABLES:
            query = f"SELECT * EXCLUDE ({ROW}) FROM {table} ORDER BY {ROW}"
            write_parquet(connection, query, out / f"{table}.parquet")
            task.advance(note=table)


def _cascade(connection: duckdb.DuckDBPyConnection, cascaded: dict[str, int]) -> None:
    """Drop what belongs to dropped requests and items; unlink events whose list, or place in it, is gone."""
    requests = _lost("requests", "request_id")
    items = _lost("items", "item_id")
    for table, ids, column in (
        ("candidates", requests, "request_id"),
        ("candidates", items, "item_id"),
        ("events", items, "item_id"),
    ):
        query = f"SELECT {ROW} FROM {table} SEMI JOIN ({ids}) USING ({column})"
        cascaded[table] += _insert(connection, f"gone_{table}", query)
    for ids, columns in (
        (requests, "request_id"),
        (_lost("candidates", "request_id, item_id"), "request_id, item_id"),
    ):
        query = f"SELECT {ROW} FROM events SEMI JOIN ({ids}) USING ({columns})"
        cascaded["events.request_id"] += _insert(connection, "unlinked", query)


def _lost(table: str, keys: str) -> str:
    """The query for keys that dropped rows had and no row has any more."""
    return (
        f"SELECT {keys} FROM whole_{table} SEMI JOIN gone_{table} USING ({ROW})"
        f" ANTI JOIN (SELECT {keys} FROM {table}) USING ({keys})"
    )


def _insert(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> int:
    inserted = connection.execute(f"INSERT INTO {table} {query}").fetchone()
    return int(inserted[0]) if inserted else 0
