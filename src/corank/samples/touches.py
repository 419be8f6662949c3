"""What the user (or the session) did with an item before the request."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.timelines import as_of
from corank.samples.touch_order import with_touch_order


def touches(
    samples: ir.Table, events: ir.Table, scope: Sequence[str], name: str, actions: Sequence[str]
) -> ir.Table:
    """Earlier events of the scope on each sample's item; rows only for samples that have any.

    Args:
        samples: `_row`, `_number`, `item_id`, `timestamp` and the columns of the scope.
        events: the scope's columns, `item_id`, `timestamp`, `action`.
        scope: columns that name the user, or the user and the session.
        name: "user" or "session", with which the new columns begin.
        actions: actions that get a count of their own.

    Returns:
        `_row` and the `touch_columns`.
    """
    numbered = numbered_events(events, scope, actions)
    touched = samples.semi_join(numbered, [*scope, "item_id"])
    total, *by_action, since_touch, touch_order = touch_columns(name, actions)
    counts = {total: ("sum", "_one")}
    counts |= {column: ("sum", f"_is_{index}") for index, column in enumerate(by_action)}
    last = {"_last_time": ("max", "_time"), "_last": ("max", "_step")}
    told = as_of(touched, numbered, [*scope, "item_id"], counts | last)
    told = told.filter(told["_last"].notnull())
    before = as_of(
        told.select("_number", "timestamp", *scope).distinct(), numbered, scope, {"_before": ("sum", "_one")}
    )
    told = told.inner_join(before.select("_number", "_before"), "_number")
    told = with_touch_order(told, numbered, scope, touch_order)
    since = told.timestamp.delta(told["_last_time"], unit="microsecond")
    return told.select(
        "_row",
        **{column: told[column].cast("int32") for column in counts},
        **{since_touch: (since / 1e6).cast("float32")},
        **{touch_order: told[touch_order].cast("int32")},
    )


def touch_columns(name: str, actions: Sequence[str]) -> list[str]:
    """NAME_touches, NAME_touches_ACTION..., NAME_since_touch (seconds) and NAME_touch_order."""
    by_action = (f"{name}_touches_{action}" for action in actions)
    return [f"{name}_touches", *by_action, f"{name}_since_touch", f"{name}_touch_order"]


def numbered_events(events: ir.Table, scope: Sequence[str], actions: Sequence[str]) -> ir.Table:
    """The events with `_step`, their place (from 1) in the scope's order, and what is summed.

    Args:
        events: the scope's columns, `item_id`, `timestamp`, `action`.
        scope: columns that name the user, or the user and the session.
        actions: each gets a column `_is_INDEX`.
    """
    order = [events.timestamp, events.action, events.item_id]
    return events.filter(*(events[column].notnull() for column in scope)).select(
        *scope,
        "item_id",
        "timestamp",
        _time=events.timestamp,
        _one=1,
        _step=1 + ibis.row_number().over(group_by=list(scope), order_by=order),
        **{f"_is_{index}": (events.action == action).cast("int8") for index, action in enumerate(actions)},
    )
