"""Histories: every user's events in one flat table, and where each request's part of it lies."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.timelines import as_of

ORDER = ("user_id", "timestamp", "action", "item_id", "domain")
"""The order of the flat table; rows equal in all five are the same row."""


def history_events(events: ir.Table, requests: ir.Table, actions: Sequence[str] | None) -> ir.Table:
    """The events, of the given actions, of users with requests.

    Any request of the log counts, so that a request's part lies in the same place in every recipe.
    """
    kept = events if actions is None else events.filter(events.action.isin(actions))
    columns = ("user_id", "item_id", "action", "domain", "timestamp")
    return kept.select(*columns).semi_join(requests, "user_id")


def with_history_length(requests: ir.Table, events: ir.Table) -> ir.Table:
    """Add `history_length`: the user's events before the request."""
    counted = as_of(requests, events.mutate(_one=1), ["user_id"], {"history_length": ("sum", "_one")})
    return counted.mutate(history_length=counted.history_length.fill_null(0).cast("int64"))


def history_offsets(events: ir.Table) -> ir.Table:
    """`user_id` and `history_offset`: where the user's events begin in the flat table."""
    sizes = events.group_by("user_id").aggregate(_events=events.count())
    earlier_users = ibis.window(order_by="user_id", rows=(None, 0))
    offset = sizes["_events"].sum().over(earlier_users) - sizes["_events"]
    return sizes.select("user_id", history_offset=offset.cast("int64"))
