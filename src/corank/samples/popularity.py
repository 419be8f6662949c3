"""Clicks on an item by anyone, as of the request."""

from __future__ import annotations

import ibis.expr.types as ir

from corank.samples.config import SampleConfig
from corank.samples.timelines import as_of


def with_item_clicks(samples: ir.Table, events: ir.Table, config: SampleConfig) -> ir.Table:
    """Add `item_clicks`: clicks on the item, in any domain, strictly before the request."""
    clicks = events.filter(events.action.isin(config.click_actions)).select("item_id", "timestamp", _click=1)
    counted = as_of(samples, clicks, ["item_id"], {"item_clicks": ("sum", "_click")})
    return counted.mutate(item_clicks=counted.item_clicks.fill_null(0).cast("int32"))
