"""A log in numbers."""

from __future__ import annotations

from typing import Any

import duckdb

from corank.logs.report import LogSummary, PositionRate
from corank.logs.schemas import TABLES

POSITIONS = 25
"""Click rates are given for that many first positions."""


def summarise(connection: duckdb.DuckDBPyConnection) -> LogSummary:
    """The numbers of the log whose tables the connection shows."""
    rows = {table: int(_row(connection, f"SELECT count(*) FROM {table}")[0]) for table in TABLES}
    exposed, largest = _row(
        connection,
        "SELECT coalesce(sum(exposed), 0), coalesce(max(n), 0) FROM"
        " (SELECT count(*) FILTER (exposed) AS exposed, count(*) AS n FROM candidates GROUP BY request_id)",
    )
    requests = _times(connection, "requests")
    events = _times(connection, "events")
    actions = _counts(connection, "events", "action")
    return LogSummary(
        rows=rows,
        first_request=requests[0],
        last_request=requests[1],
        first_event=events[0],
        last_event=events[1],
        requests_by_domain=_counts(connection, "requests", "domain"),
        exposed=int(exposed),
        candidates_per_request=rows["candidates"] / rows["requests"] if rows["requests"] else 0.0,
        most_candidates=int(largest),
        events_by_action=actions,
        clicks=actions.get("click", 0),
        purchases=actions.get("purchase", 0),
        click_rate_by_position=_click_rates(connection),
    )


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return tuple(row)


def _times(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[str | None, str | None]:
    """The first and last time of a table."""
    first, last = _row(
        connection,
        f"SELECT {', '.join(_iso(f'{extreme}(timestamp)') for extreme in ('min', 'max'))} FROM {table}",
    )
    return first, last


def _iso(time: str) -> str:
    return f"strftime({time}, '%Y-%m-%dT%H:%M:%S.%fZ')"


def _counts(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> dict[str, int]:
    """Rows by value, most frequent first."""
    counted = connection.execute(
        f"SELECT {column}, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return {value: int(count) for value, count in counted.fetchall()}


def _click_rates(connection: duckdb.DuckDBPyConnection) -> tuple[PositionRate, ...]:
    """Exposed rows and those clicked in their own request, by position."""
    counted = connection.execute(f"""
        SELECT position, count(*), count(k.item_id)
        FROM candidates LEFT JOIN (
          SELECT DISTINCT request_id, item_id FROM events WHERE action = 'click') k
          USING (request_id, item_id)
        WHERE exposed AND position BETWEEN 1 AND {POSITIONS} GROUP BY 1 ORDER BY 1""")
    return tuple(
        PositionRate(int(position), int(shown), int(clicked), clicked / shown)
        for position, shown, clicked in counted.fetchall()
    )
