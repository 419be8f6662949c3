"""The rows of all users put together, in the order of the store."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from corank.samples import checks
from corank.samples.everyone import everyone
from corank.samples.expansion import LONGEST_LIST
from corank.samples.histories import ORDER, history_events, history_offsets
from corank.samples.joins import attach
from corank.samples.labels import LEDGER
from corank.samples.plan import Plan
from corank.samples.requests import ordered
from corank.samples.shard import Rows


@dataclass(frozen=True)
class Whole:
    """What the store is written from.

    Attributes:
        requests: rows of requests, in order.
        samples: flat rows of samples, in order.
        lengths: `_split` and `_samples` of each request, in order.
        flat: the folder's other tables by name, in order: items, histories and labels.
        events: fate -> labelling events.
    """

    requests: ir.Table
    samples: ir.Table
    lengths: ir.Table
    flat: dict[str, ir.Table]
    events: dict[str, int]


def whole(plan: Plan, rows: Rows, shards: int) -> Whole:
    """Order the rows of all users and add what only all of them tell."""
    engine = plan.engine
    order = engine.keep("ordered", ordered(rows.requests))
    history = history_events(plan.logs.events, plan.logs.requests, plan.config.history_actions)
    placed = rows.requests.inner_join(order.select("_number", "_place"), "_number")
    placed = attach(placed, history_offsets(history), ["user_id"])
    placed = placed.mutate(history_offset=placed.history_offset.fill_null(0))
    times = rows.requests.select("_number", "timestamp")
    asking = rows.samples.select("_row", "_number", "item_id").inner_join(times, "_number")
    samples = rows.samples.inner_join(order.select("_number", "_begin"), "_number")
    for told in everyone(plan, asking.select("_row", "item_id", "timestamp"), shards):
        samples = attach(samples, told, ["_row"])
    samples = samples.mutate(_at=samples["_begin"] + samples["_row"] % LONGEST_LIST)
    return Whole(
        requests=placed.order_by("_place").select(*plan.request_columns),
        samples=samples.order_by("_at").select(*plan.sample_columns),
        lengths=order.order_by("_place").select("_split", "_samples"),
        flat={
            "items": plan.logs.items.order_by("item_id"),
            "histories": history.order_by(*ORDER),
            "labels": _ledger(rows.fates, rows.requests),
        },
        events=checks.fate_counts(engine, rows.fates),
    )


def _ledger(fates: ir.Table, requests: ir.Table) -> ir.Table:
    """Every labelling event with its fate and the request whose sample it labels."""
    named = requests.select("_number", labelled_request_id="request_id")
    rows = attach(fates, named, ["_number"])
    labels = ~rows["_fate"].isin(checks.WITHOUT_LABEL)
    labelled = ibis.ifelse(labels, rows.labelled_request_id, ibis.null(rows.labelled_request_id.type()))
    ledger = rows.select(*LEDGER, fate=rows["_fate"], labelled_request_id=labelled)
    order = [ledger[name].asc(nulls_first=False) for name in LEDGER]
    return ledger.order_by(*order)
