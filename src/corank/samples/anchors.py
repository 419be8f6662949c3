"""Where an item stands in its list relative to the one that the user touched last."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.joins import attach
from corank.samples.ranks import measured
from corank.samples.timelines import as_of
from corank.samples.touches import numbered_events


def anchor_columns(columns: Sequence[str]) -> list[str]:
    """The columns that `from_touch` adds."""
    return ["list_touch_order", *(f"{column}_from_touch" for column in columns)]


def listed_candidates(requests: ir.Table, candidates: ir.Table, columns: Sequence[str]) -> ir.Table:
    """Entire lists of the numbered requests: `_number`, `item_id` and `columns`."""
    lists = candidates.select("request_id", "item_id", *columns)
    return lists.inner_join(requests.select("request_id", "_number"), "request_id").drop("request_id")


def from_touch(
    samples: ir.Table, candidates: ir.Table, requests: ir.Table, events: ir.Table, columns: Sequence[str]
) -> ir.Table:
    """Order of the touched items of a list, and distances to the one touched last.

    Taken over the entire candidate list, sampled or not; rows only for requests whose list holds an item that
    the user touched before.

    Args:
        samples: `_row`, `_number`, `item_id` and `columns`.
        candidates: entire lists: `_number`, `item_id` and `columns`.
        requests: `_number`, `user_id`, `timestamp`.
        events: the event table.
        columns: numeric candidate columns.

    Returns:
        `_row`, list_touch_order (1 for the list's item touched last, null if untouched) and
        COLUMN_from_touch (the item's value less that of the item touched last).
    """
    numbered = numbered_events(events, ["user_id"], [])
    asking = candidates.select("_number", "item_id", *columns).inner_join(
        requests.select("_number", "user_id", "timestamp"), "_number"
    )
    touched = asking.semi_join(numbered, ["user_id", "item_id"])
    told = as_of(touched, numbered, ["user_id", "item_id"], {"_last": ("max", "_step")})
    told = told.filter(told["_last"].notnull())
    latest = ibis.window(group_by="_number", order_by=told["_last"].desc())
    told = told.mutate(list_touch_order=(1 + ibis.row_number().over(latest)).cast("int32"))
    anchors = told.filter(told.list_touch_order == 1).select(
        "_number", **{f"_anchor_{index}": told[column] for index, column in enumerate(columns)}
    )
    rows = samples.select("_row", "_number", "item_id", *columns).inner_join(anchors, "_number")
    rows = attach(rows, told.select("_number", "item_id", "list_touch_order"), ["_number", "item_id"])
    anchor = {column: rows[f"_anchor_{index}"] for index, column in enumerate(columns)}
    distances = {
        f"{column}_from_touch": _number(rows[column]) - _number(anchor[column]) for column in columns
    }
    distances = {name: distance.cast("float32") for name, distance in distances.items()}
    return rows.select("_row", "list_touch_order", **distances)


def _number(value: ir.Column) -> ir.Column:
    return measured(value).cast("float64")
