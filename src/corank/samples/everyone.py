"""What everyone's events tell of a sample's item, done item by item: as many shards of items as of users."""

from __future__ import annotations

import ibis.expr.types as ir

from corank.samples.draws import in_shard
from corank.samples.exposures import shown_to_anyone
from corank.samples.joins import attach
from corank.samples.plan import Plan
from corank.samples.popularity import item_clicks


def everyone(plan: Plan, asking: ir.Table, shards: int) -> list[ir.Table]:
    """Tables of `_row` and each of the columns `rows.OF_EVERYONE` that the store has.

    Args:
        plan: the build's.
        asking: `_row`, `item_id` and `timestamp` of every sample.
        shards: how many parts the items are done in.
    """
    engine, clicks, exposures = plan.engine, plan.logs.events, plan.exposures
    if shards == 1:
        told = [engine.keep("item_clicks", item_clicks(asking, clicks, plan.config.click_actions))]
        if exposures is not None:
            told.append(engine.keep("item_shown", shown_to_anyone(asking, exposures)))
        return told
    whole = asking
    for shard in range(shards):

        def own(table: ir.Table, shard: int = shard) -> ir.Table:
            return table.filter(in_shard(table.item_id, shard, shards))

        asks = engine.keep("asking", own(asking))
        facts = item_clicks(asks, own(clicks), plan.config.click_actions)
        if exposures is not None:
            facts = attach(facts, shown_to_anyone(asks, own(exposures)), ["_row"])
        whole = engine.append("everyone", facts)
    return [whole]
