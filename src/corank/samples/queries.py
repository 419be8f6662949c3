"""Queries for pseudo requests, from three levels; nothing that came after the source request is used.

UniScale (arXiv 2603.24226), query synthesis. Each level is a running maximum over what was known before the
request: the user's latest query that led to the item, the query that led to it most often, and the nearest
of the queries known by then.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.joins import attach
from corank.samples.timelines import as_of

SHIFT = 1 << 31
"""Codes are a number to maximise times this, plus the step that breaks ties and tells the row."""


def led_to(fates: ir.Table, requests: ir.Table, words: ir.Table) -> ir.Table:
    """Own labels on requests with a query: who, which item, when, by which query.

    Args:
        fates: as `labels.fates` gives them.
        requests: numbered requests: `_number`, `timestamp`, `query`, `_split`.
        words: `query`, of those that have words.
    """
    own = fates.filter(fates["_fate"] == "labels").select(
        "user_id", "item_id", "timestamp", "request_id", "_number"
    )
    asked = requests.semi_join(words, "query").select("_number", "_split", "query", _asked_at="timestamp")
    return own.inner_join(asked, "_number")


def own_query(asks: ir.Table, led: ir.Table) -> ir.Table:
    """`_number` and `_own`: the user's query that led to the item last."""
    by = ["user_id", "item_id"]
    order = [led.timestamp, led["_asked_at"], led.request_id]
    steps = led.select(*by, "timestamp", "query", _step=ibis.row_number().over(group_by=by, order_by=order))
    return _decoded(asks, steps, by, steps["_step"], "_own")


def cooccurring_query(asks: ir.Table, led: ir.Table) -> ir.Table:
    """`_number` and `_cooccurring`: the query that led to the item most often, in training."""
    by = ["item_id"]
    order = [led.timestamp, led["query"]]
    rows = led.filter(led["_split"] == 0)
    steps = rows.select(
        *by,
        "timestamp",
        "query",
        _step=ibis.row_number().over(group_by=by, order_by=order),
        _count=ibis.row_number().over(group_by=[*by, "query"], order_by="timestamp"),
    )
    return _decoded(asks, steps, by, steps["_count"] * SHIFT + steps["_step"], "_cooccurring")


def known_queries(requests: ir.Table, words: ir.Table) -> ir.Table:
    """The queries of training requests: `query`, and `timestamp` and `_request` of the first with it.

    The first is by time and id; `_rank` is 0 for the most frequent query, ties by text.

    Args:
        requests: numbered requests: `request_id`, `timestamp`, `query`, `_split`.
        words: `query`, of those that have words.
    """
    columns = ["request_id", "timestamp", "query"]
    asked = requests.filter(requests["_split"] == 0).semi_join(words, "query").select(*columns)
    first = ibis.row_number().over(group_by="query", order_by=[asked.timestamp, asked.request_id])
    rows = asked.select(
        "query", "timestamp", _request="request_id", _first=first, _count=asked.count().over(group_by="query")
    )
    rows = rows.filter(rows["_first"] == 0)
    order = [rows["_count"].desc(), rows["query"]]
    return rows.select("query", "timestamp", "_request", _rank=ibis.row_number().over(order_by=order))


def nearest_query(asks: ir.Table, scored: ir.Table) -> ir.Table:
    """`_number` and `_nearest`: of the queries known by then the one with the highest score.

    Args:
        asks: `_number`, `item_id` and `timestamp`.
        scored: `item_id`, `query`, the `timestamp` from which it is known, and `_score` (above 0).
    """
    by = ["item_id"]
    steps = scored.select(
        *by,
        "timestamp",
        "query",
        _step=ibis.row_number().over(group_by=by, order_by=[scored.timestamp, scored["query"]]),
        _rank=ibis.dense_rank().over(group_by=by, order_by=scored["_score"]),
    )
    return _decoded(asks, steps, by, steps["_rank"] * SHIFT + steps["_step"], "_nearest")


def with_queries(pseudo: ir.Table, found: dict[str, ir.Table], levels: Sequence[str]) -> ir.Table:
    """Add `query` and `query_source`, of the first level that has one, or null and "none".

    Args:
        pseudo: pseudo requests.
        found: level -> `_number` and `_LEVEL`.
        levels: in the order in which they count.
    """
    rows = pseudo
    for level in levels:
        rows = attach(rows, found[level], ["_number"])
    columns = [(level, rows[f"_{level}"]) for level in levels]
    source = ibis.cases(*((column.notnull(), level) for level, column in columns), else_="none")
    query = ibis.coalesce(*(column for _, column in columns))
    return rows.mutate(query=query, query_source=source).select(*pseudo.columns, "query", "query_source")


def _decoded(asks: ir.Table, steps: ir.Table, by: Sequence[str], code: ir.Column, name: str) -> ir.Table:
    """The query of the step with the highest code before each ask."""
    coded = steps.mutate(_code=code.cast("int64"))
    # A step belongs to one row of its group, and so does the code that ends in it.
    told = as_of(
        asks.select("_number", "timestamp", *by),
        coded.select(*by, "timestamp", "_code"),
        by,
        {"_code": ("max", "_code")},
    )
    queries = coded.select(*by, "_code", **{name: coded["query"]})
    return told.inner_join(queries, [*by, "_code"]).select("_number", name)
