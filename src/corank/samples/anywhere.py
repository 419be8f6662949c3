"""Labels from all channels, for evaluation: what the user did with an item soon after the request."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from corank.samples.config import SampleConfig
from corank.samples.timelines import as_of

COUNTED = ("_clicks", "_purchases")


def anywhere(samples: ir.Table, events: ir.Table, config: SampleConfig) -> ir.Table:
    """`anywhere_click` and `anywhere_purchase`; rows only for samples that have either.

    Events of any domain count, with or without a request, after the sample's request, not later than
    `config.window` after it and before its split ends.

    Args:
        samples: `_row`, `user_id`, `item_id`, `timestamp` and `_split_end` (null for the last split).
        events: the event table.
        config: the actions and the window.
    """
    by = ["user_id", "item_id"]
    labelling = events.filter(events.action.isin(config.label_actions)).select(
        *by, "timestamp", _clicks=1, _purchases=events.action.isin(config.purchase_actions).cast("int8")
    )
    asking = samples.semi_join(labelling, by).select("_row", *by, "timestamp", "_split_end")
    # A running sum tells what came before a time, so the end of the window is the instant after it.
    window = ibis.interval(config.window + 1, unit="us")
    end = ibis.least(asking.timestamp + window, asking["_split_end"].fill_null(asking.timestamp + window))
    ends = asking.select("_row", *by, timestamp=end)
    starts = asking.select("_row", *by, timestamp=asking.timestamp + ibis.interval(1, unit="us"))
    before = _counted(starts, labelling, "_before")
    after = _counted(ends, labelling, "_after")
    both = before.inner_join(after, "_row")
    happened = [(both[f"{name}_after"] > both[f"{name}_before"]).cast("int8") for name in COUNTED]
    found = both.select("_row", anywhere_click=happened[0], anywhere_purchase=happened[1])
    return found.filter(found.anywhere_click == 1)


def _counted(askers: ir.Table, events: ir.Table, suffix: str) -> ir.Table:
    told = as_of(
        askers, events, ["user_id", "item_id"], {f"{name}{suffix}": ("sum", name) for name in COUNTED}
    )
    return told.select(
        "_row", **{f"{name}{suffix}": told[f"{name}{suffix}"].fill_null(0) for name in COUNTED}
    )
