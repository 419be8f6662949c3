"""Histories: every user's events in one flat table, and where each request's part of it lies."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.joins import attach
from corank.samples.timelines import as_of

ORDER = ("user_id", "timestamp", "action", "item_id", "domain")
"""The order of the flat table; rows equal in all five are the same row."""


def history_events(events: ir.Table, requests: ir.Table, actions: Sequence[str] | None) -> ir.Table:
    """The events, of the given actions, of users with requests."""
    kept = events if actions is None else events.filter(events.action.isin(actions))
    columns = ("user_id", "item_id", "action", "domain", "timestamp")
    return kept.select(*columns).semi_join(requests, "user_id")


def with_history(requests: ir.Table, events: ir.Table) -> ir.Table:
    """Add `history_offset`, where the user's events begin, and `history_length`, those before the request."""
    sizes = events.group_by("user_id").aggregate(_events=events.count())
    earlier_users = ibis.window(order_by="user_id", rows=(None, 0))
    offsets = sizes.select(
        "user_id", history_offset=sizes["_events"].sum().over(earlier_users) - sizes["_events"]
    )
    counted = as_of(requests, events.mutate(_one=1), ["user_id"], {"history_length": ("sum", "_one")})
    joined = attach(counted, offsets, ["user_id"])
    return joined.mutate(
        history_offset=joined.history_offset.fill_null(0).cast("int64"),
        history_length=joined.history_length.fill_null(0).cast("int64"),
    )
