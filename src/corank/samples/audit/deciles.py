"""Tenths of the test rows by popularity or price; equal values are never parted."""

from __future__ import annotations

import duckdb

from corank.samples.audit.tables import count

TENTHS = 10


def add_deciles(connection: duckdb.DuckDBPyConnection, column: str) -> None:
    """`COLUMN_deciles`: value, and the decile (1 lowest) of the test rows that have it.

    A value's decile tells the share of test rows with a lower value: below a tenth it is the first, and so
    on. Where many rows share a value, the deciles that it reaches over are empty.
    """
    rows = count(connection, f"SELECT count({column}) FROM tested")
    connection.execute(f"""
        CREATE TABLE {column}_deciles AS
        SELECT value, through, (1 + {TENTHS} * (through - rows) // {max(rows, 1)})::INTEGER AS decile
        FROM (SELECT {column} AS value, count(*) AS rows,
                  sum(count(*)) OVER (ORDER BY {column})::BIGINT AS through
              FROM tested WHERE {column} IS NOT NULL GROUP BY {column})""")


def add_item_deciles(connection: duckdb.DuckDBPyConnection) -> None:
    """`popularity_places`: popularity and its decile, of any item: by the share of test rows with less."""
    rows = count(connection, "SELECT count(*) FROM tested")
    connection.execute(f"""
        CREATE TABLE popularity_places AS
        SELECT popularity,
            least({TENTHS}, 1 + {TENTHS} * coalesce(through, 0) // {max(rows, 1)})::INTEGER AS decile
        FROM (SELECT DISTINCT popularity FROM clicks_before UNION SELECT 0) p
        ASOF LEFT JOIN popularity_deciles d ON p.popularity > d.value""")
