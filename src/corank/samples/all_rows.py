"""The rows of all users, in the portions in which they will be ordered and written."""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir

from corank.progress import Task
from corank.samples.draws import shard_of
from corank.samples.joins import attach
from corank.samples.parts import by_user, portion, portions
from corank.samples.plan import Plan
from corank.samples.rows import ORDER_COLUMNS
from corank.samples.shard import shard_rows


@dataclass(frozen=True)
class AllRows:
    """What the store is written from; portions follow one another in its order and have none inside.

    Attributes:
        order: the columns by which requests are ordered, of all of them; with `_portion` where there are
            several.
        requests, samples: rows as `shard.Rows` has them, a table for each portion.
        asking: `_row`, `item_id` and `timestamp` of the samples, a table for each shard of items; with
            `_portion` where there are several.
        fates: as `shard.Rows` has them, of all users, with `labelled_request_id`, that of `_number`.
    """

    order: ir.Table
    requests: list[ir.Table]
    samples: list[ir.Table]
    asking: list[ir.Table]
    fates: ir.Table


def all_rows(plan: Plan, task: Task) -> AllRows:
    """Run the steps for all users, shard after shard; rows of several shards are held by the engine."""
    engine, parts = plan.engine, by_user(plan)
    shards = len(parts)
    if shards == 1:
        rows = shard_rows(plan, parts[0], 0, task)
        requests = engine.keep("rows_requests", rows.requests)
        times = requests.select("_number", "timestamp")
        asking = rows.samples.select("_row", "_number", "item_id").inner_join(times, "_number")
        asked = asking.select("_row", "item_id", "timestamp")
        return AllRows(requests, [requests], [rows.samples], [asked], _named(rows.fates, requests))
    # With half as many, a log of 5.6 budgets ran out of memory while a portion was put in order.
    counts = portions(plan, shards)
    for shard, part in enumerate(parts):
        rows = shard_rows(plan, part, shard, task)
        requests = rows.requests.mutate(_portion=portion(rows.requests, counts))
        requests = engine.keep("requests_of_shard", requests)
        where = requests.select("_number", "_portion", _asked_at="timestamp")
        samples = engine.keep("samples_of_shard", rows.samples.inner_join(where, "_number"))
        asked = samples.select("_row", "item_id", "_portion", timestamp="_asked_at")
        asked = asked.mutate(_part=shard_of(asked.item_id, shards))
        held = AllRows(
            order=engine.append("order", requests.select("request_id", "_portion", *ORDER_COLUMNS)),
            requests=engine.deal("rows_requests", requests, "_portion", sum(counts)),
            samples=engine.deal("rows_samples", samples.drop("_asked_at"), "_portion", sum(counts)),
            asking=engine.deal("asking", asked, "_part", shards),
            fates=engine.append("rows_fates", _named(rows.fates, requests)),
        )
        engine.release(part.own)
    return held


def _named(fates: ir.Table, requests: ir.Table) -> ir.Table:
    return attach(fates, requests.select("_number", labelled_request_id="request_id"), ["_number"])
