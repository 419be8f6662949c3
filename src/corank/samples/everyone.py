"""What everyone's events tell of a sample's item, done item by item: as many shards of items as of users."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir

from corank.samples.exposures import shown_to_anyone
from corank.samples.joins import attach
from corank.samples.parts import by_item
from corank.samples.plan import Plan
from corank.samples.popularity import item_clicks


def everyone(plan: Plan, asking: Sequence[ir.Table], portions: int) -> list[list[ir.Table]]:
    """For each portion, tables of `_row` and the columns `rows.OF_EVERYONE` that the store has.

    Args:
        plan: the build's.
        asking: `_row`, `item_id` and `timestamp` of the samples, a table for each shard of items; with
            `_portion` where there are several.
        portions: how many portions there are.
    """
    engine, events, exposures = plan.engine, plan.logs.events, plan.exposures
    actions = plan.config.click_actions
    shards = len(asking)
    if shards == 1:
        told = [engine.keep("item_clicks", item_clicks(asking[0], events, actions))]
        if exposures is not None:
            told.append(engine.keep("item_shown", shown_to_anyone(asking[0], exposures)))
        return [told]
    happened = events.select("item_id", "timestamp", "action").filter(events.action.isin(actions))
    clicks = by_item(plan, "item_events", happened, shards)
    shown = None if exposures is None else by_item(plan, "item_exposures", exposures.drop("user_id"), shards)
    for shard, asks in enumerate(asking):
        facts = attach(asks.select("_row", "_portion"), item_clicks(asks, clicks[shard], actions), ["_row"])
        if shown is not None:
            facts = attach(facts, shown_to_anyone(asks, shown[shard]), ["_row"])
        found = engine.deal("everyone", facts, "_portion", portions)
        engine.release([asks, clicks[shard], *([] if shown is None else [shown[shard]])])
    return [[table] for table in found]
