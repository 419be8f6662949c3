"""Leaving rows out of a log: those that break named rules, and what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from corank.errors import CorankError
from corank.logs.engine import engine, write_parquet
from corank.logs.rule import ROW, Rule, show_tables
from corank.logs.schemas import TABLES
from corank.logs.tables import LogTables
from corank.progress import Reporter


@dataclass(frozen=True)
class Dropped:
    """Rows left out by rule, and what went with them: rows by table, links of events to requests."""

    by_rule: Mapping[str, int]
    cascaded: Mapping[str, int]


NOTHING = Dropped({}, {})


def write_without(logs: LogTables, rules: Sequence[Rule], out: Path, progress: Reporter) -> Dropped:
    """Write a log's tables to the folder `out` without the rows that break `rules`, in their order.

    Raises:
        CorankError: no request or no candidate would be left, or a table cannot be read.
    """
    with engine(logs.folder, scratch_in=out) as connection:
        show_tables(connection, logs)
        _hide_dropped(connection)
        dropped = _drop(connection, rules, progress)
        with progress.task("write logs", total=len(TABLES)) as task:
            for table in TABLES:
                query = f"SELECT * EXCLUDE ({ROW}) FROM {table} ORDER BY {ROW}"
                rows = write_parquet(connection, query, out / f"{table}.parquet")
                if not rows and table in ("requests", "candidates"):
                    raise CorankError(f"{logs.folder}: dropping the rows leaves nothing of the table {table}")
                task.advance(note=table)
    return dropped


def _hide_dropped(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `TABLE` what `whole_TABLE` holds besides the rows in `gone_TABLE`, events without cut links."""
    for table in TABLES:
        connection.execute(f"ALTER VIEW {table} RENAME TO whole_{table}")
        connection.execute(f"CREATE TABLE gone_{table} ({ROW} BIGINT)")
        connection.execute(f"CREATE VIEW {table} AS FROM whole_{table} ANTI JOIN gone_{table} USING ({ROW})")
    connection.execute(f"CREATE TABLE unlinked ({ROW} BIGINT)")
    connection.execute(f"""
        CREATE OR REPLACE VIEW events AS
        SELECT e.* REPLACE (CASE WHEN u.{ROW} IS NULL THEN e.request_id END AS request_id)
        FROM whole_events e LEFT JOIN unlinked u USING ({ROW})
        ANTI JOIN gone_events g ON e.{ROW} = g.{ROW}""")


def _drop(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], progress: Reporter) -> Dropped:
    """Hide the rows that break the rules, over and over until none does: a dropped row may break another."""
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
