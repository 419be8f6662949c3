"""What was shown before the request: the item to this user, and to anyone."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from corank.samples.timelines import as_of

EXPOSURE_COLUMNS = ("user_shown", "user_since_shown", "item_shown")


def shown(requests: ir.Table, candidates: ir.Table) -> ir.Table:
    """Every exposure of the log, in any domain: `user_id`, `item_id`, `timestamp`."""
    exposed = candidates.filter(candidates.exposed.fill_null(False)).select("request_id", "item_id")
    users = requests.select("request_id", "user_id", "timestamp")
    return exposed.inner_join(users, "request_id").select("user_id", "item_id", "timestamp")


def shown_to_user(samples: ir.Table, exposures: ir.Table) -> ir.Table:
    """Earlier requests that exposed the item to the sample's user; rows only where there are any.

    Args:
        samples: `_row`, `user_id`, `item_id` and `timestamp`.
        exposures: as `shown` gives them.

    Returns:
        `_row`, user_shown (count) and user_since_shown (seconds since the last).
    """
    counted = exposures.mutate(_one=1, _time=exposures.timestamp)
    asking = samples.select("_row", "user_id", "item_id", "timestamp").semi_join(
        exposures, ["user_id", "item_id"]
    )
    aggregates = {"user_shown": ("sum", "_one"), "_last": ("max", "_time")}
    told = as_of(asking, counted, ["user_id", "item_id"], aggregates)
    told = told.filter(told["_last"].notnull())
    since = told.timestamp.delta(told["_last"], unit="microsecond")
    return told.select(
        "_row", user_shown=told.user_shown.cast("int32"), user_since_shown=(since / 1e6).cast("float32")
    )


def shown_to_anyone(samples: ir.Table, exposures: ir.Table) -> ir.Table:
    """Earlier exposures of the sample's item to anyone.

    Args:
        samples: `_row`, `item_id` and `timestamp`.
        exposures: as `shown` gives them.

    Returns:
        `_row` and item_shown.
    """
    counted = exposures.group_by("item_id", "timestamp").aggregate(_shown=exposures.count())
    told = as_of(
        samples.select("_row", "item_id", "timestamp"),
        counted,
        ["item_id"],
        {"item_shown": ("sum", "_shown")},
    )
    return told.select("_row", item_shown=ibis.coalesce(told.item_shown, 0).cast("int32"))
