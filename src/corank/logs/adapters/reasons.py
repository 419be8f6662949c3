"""Why rows are not used: the first reason that holds for each, and how many have it."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from corank.logs.adapters.adapter import Counted
from corank.logs.engine import quoted

Reasons = Mapping[str, tuple[str, str]]
"""Why a row is not used: by name, its condition in SQL and its meaning."""


def reason(reasons: Reasons) -> str:
    """The SQL for the name of the first reason that holds, or null."""
    cases = " ".join(f"WHEN {condition} THEN {quoted(key)}" for key, (condition, _) in reasons.items())
    return f"CASE {cases} END"


def count_reasons(connection: duckdb.DuckDBPyConnection, table: str, reasons: Reasons) -> dict[str, Counted]:
    """How many of a table's rows have each reason (its column `reason`)."""
    rows = dict(connection.execute(f"SELECT reason, count(*) FROM {table} GROUP BY 1").fetchall())
    return {key: Counted(rows.get(key, 0), meaning) for key, (_, meaning) in reasons.items()}


def count(connection: duckdb.DuckDBPyConnection, select: str) -> int:
    """The one number that a query gives, 0 for none."""
    found = connection.execute(select).fetchone()
    return int(found[0] or 0) if found else 0
