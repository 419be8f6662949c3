"""The lists of a log's requests, their labels, and what training holds."""

from __future__ import annotations

import duckdb

from corank.samples.audit.tables import TEST, TRAIN, among, measured, microseconds
from corank.samples.selection import Selection
from corank.samples.split import Cuts

FLAGS = ("click", "purchase", "any_click", "any_purchase")
"""The labels of a row, as truth values."""


def add_listed(connection: duckdb.DuckDBPyConnection, priced: bool) -> None:
    """`rows`: `listed` but for the labels."""
    price = measured("c.price") if priced else "NULL::DOUBLE"
    connection.execute(f"""
        CREATE TABLE rows AS
        SELECT a.n, a.u, a.split, c.item_id, coalesce(c.exposed, false) AS exposed,
            CASE WHEN c.exposed THEN c.position END AS position, {price} AS price
        FROM candidates c JOIN asked a USING (request_id)""")


def add_labels(connection: duckdb.DuckDBPyConnection, config: Selection) -> None:
    """`listed`: the rows with own labels, and with what followed in any channel.

    Labelled rows are few: they are joined where they are wanted, not written beside all the others.
    """
    connection.execute(f"""
        CREATE TABLE deeds AS
        SELECT user_id, item_id, request_id, epoch_us(timestamp) AS moment,
            {among("action", config.purchase_actions)} AS purchase
        FROM events WHERE {among("action", config.label_actions)}""")
    connection.execute("""
        CREATE TABLE own AS
        SELECT a.n, d.item_id, bool_or(d.purchase) AS purchase
        FROM deeds d JOIN asked a USING (request_id)
        WHERE d.user_id = a.user_id AND (a.until IS NULL OR d.moment < a.until) GROUP BY ALL""")
    connection.execute("""
        CREATE TABLE touched AS
        SELECT DISTINCT r.n, r.item_id, a.user_id, a.moment, a.until FROM rows r JOIN asked a USING (n)
        SEMI JOIN (SELECT DISTINCT user_id, item_id FROM deeds) d
            ON d.user_id = a.user_id AND d.item_id = r.item_id""")
    for what, which in (("click", "true"), ("purchase", "purchase")):
        # Whether anything followed in time is whether the next did: no pairs of requests and events.
        connection.execute(f"""
            CREATE TABLE any_{what} AS SELECT n, item_id FROM (
                SELECT t.*, d.moment AS next FROM touched t
                ASOF JOIN (SELECT user_id, item_id, moment FROM deeds WHERE {which}) d
                    ON t.user_id = d.user_id AND t.item_id = d.item_id AND t.moment < d.moment)
            WHERE next <= moment + {config.window} AND (until IS NULL OR next < until)""")
    connection.execute(f"""
        CREATE TABLE labels AS
        SELECT n, item_id, {", ".join(f"bool_or({flag}) AS {flag}" for flag in FLAGS)} FROM (
            SELECT n, item_id, true AS click, purchase, true AS any_click, purchase AS any_purchase FROM own
            UNION ALL SELECT n, item_id, false, false, true, false FROM any_click
            UNION ALL SELECT n, item_id, false, false, true, true FROM any_purchase) GROUP BY ALL""")
    connection.execute(f"""
        CREATE VIEW listed AS
        SELECT r.*, true AS logged, {", ".join(f"coalesce(l.{flag}, false) AS {flag}" for flag in FLAGS)}
        FROM rows r LEFT JOIN labels l USING (n, item_id)""")


def add_training(connection: duckdb.DuckDBPyConnection, config: Selection, where: Cuts) -> None:
    """`clicks_before`, `seen`, and by how many rows each item and user is in training and test."""
    connection.execute(f"""
        CREATE TABLE clicks_before AS SELECT item_id, count(*) AS popularity FROM events
        WHERE {among("action", config.click_actions)}
            AND epoch_us(timestamp) < {microseconds(where.valid_from)} GROUP BY item_id""")
    connection.execute(f"""
        CREATE TABLE seen AS SELECT item_id, bool_or(exposed) AS exposed FROM rows
        WHERE split = {TRAIN} GROUP BY item_id""")
    for key, rows, shown in (("item", "rows", "exposed"), ("user", "asked", "true")):
        connection.execute(f"""
            CREATE TABLE weights_{key} AS SELECT {key}_id, count(*) FILTER (split = {TRAIN}) AS before,
                count(*) FILTER (split = {TEST}) AS after,
                count(*) FILTER (split = {TRAIN} AND {shown}) AS trained,
                count(*) FILTER (split = {TEST}) AS scored FROM {rows} GROUP BY {key}_id""")
