"""Clicks on an item by anyone, as of the request."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir

from corank.samples.timelines import as_of


def item_clicks(samples: ir.Table, events: ir.Table, click_actions: Sequence[str]) -> ir.Table:
    """Clicks on each sample's item, in any domain, strictly before the request.

    Args:
        samples: `_row`, `item_id` and `timestamp`.
        events: the event table.
        click_actions: the actions that are clicks.

    Returns:
        `_row` and `item_clicks`.
    """
    clicks = events.filter(events.action.isin(click_actions)).select("item_id", "timestamp", _click=1)
    counted = as_of(samples, clicks, ["item_id"], {"item_clicks": ("sum", "_click")})
    return counted.select("_row", item_clicks=counted.item_clicks.fill_null(0).cast("int32"))
