"""The rows of all users put together, in the order of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from corank.samples import checks
from corank.samples.all_rows import AllRows
from corank.samples.everyone import everyone
from corank.samples.expansion import LONGEST_LIST
from corank.samples.histories import ORDER, history_events, history_offsets
from corank.samples.joins import attach
from corank.samples.labels import LEDGER
from corank.samples.plan import Plan
from corank.samples.requests import ordered


@dataclass(frozen=True)
class Whole:
    """What the store is written from.

    Attributes:
        requests: rows of requests, in order: tables that follow one another.
        samples: flat rows of samples, in order, likewise.
        lengths: `_split` and `_samples` of each request, in order, likewise.
        flat: the folder's other tables by name, in order: items, histories and labels.
        events: fate -> labelling events.
    """

    requests: list[ir.Table]
    samples: list[ir.Table]
    lengths: list[ir.Table]
    flat: dict[str, ir.Table]
    events: dict[str, int]


def whole(plan: Plan, rows: AllRows) -> Whole:
    """Order the rows of all users and add what only all of them tell."""
    engine = plan.engine
    order = _order(plan, rows)
    history = history_events(plan.logs.events, plan.logs.requests, plan.config.history_actions)
    offsets = history_offsets(history)
    if len(rows.requests) > 1:
        offsets = engine.keep("offsets", offsets)
    told = everyone(plan, rows.asking, len(rows.samples))
    return Whole(
        requests=[
            _requests(plan, requests, places, offsets)
            for requests, places in zip(rows.requests, order, strict=True)
        ],
        samples=[
            _samples(plan, samples, places, facts)
            for samples, places, facts in zip(rows.samples, order, told, strict=True)
        ],
        lengths=[places.order_by("_place").select("_split", "_samples") for places in order],
        flat={
            "items": plan.logs.items.order_by("item_id"),
            "histories": history.order_by(*ORDER),
            "labels": _ledger(rows.fates),
        },
        events=checks.fate_counts(engine, rows.fates),
    )


def _order(plan: Plan, rows: AllRows) -> list[ir.Table]:
    """Where each request stands, for each portion."""
    order = ordered(rows.order)
    if "_portion" in order.columns:
        return plan.engine.deal("ordered", order, "_portion", len(rows.requests))
    return [plan.engine.keep("ordered", order)]


def _requests(plan: Plan, requests: ir.Table, order: ir.Table, offsets: ir.Table) -> ir.Table:
    placed = requests.inner_join(order.select("_number", "_place"), "_number")
    placed = attach(placed, offsets, ["user_id"])
    placed = placed.mutate(history_offset=placed.history_offset.fill_null(0))
    return placed.order_by("_place").select(*plan.request_columns)


def _samples(plan: Plan, samples: ir.Table, order: ir.Table, told: Sequence[ir.Table]) -> ir.Table:
    samples = samples.inner_join(order.select("_number", "_begin"), "_number")
    for facts in told:
        samples = attach(samples, facts, ["_row"])
    samples = samples.mutate(_at=samples["_begin"] + samples["_row"] % LONGEST_LIST)
    return samples.order_by("_at").select(*plan.sample_columns)


def _ledger(fates: ir.Table) -> ir.Table:
    """Every labelling event with its fate and the request whose sample it labels."""
    labels = ~fates["_fate"].isin(checks.WITHOUT_LABEL)
    labelled = ibis.ifelse(labels, fates.labelled_request_id, ibis.null(fates.labelled_request_id.type()))
    ledger = fates.select(*LEDGER, fate=fates["_fate"], labelled_request_id=labelled)
    order = [ledger[name].asc(nulls_first=False) for name in LEDGER]
    return ledger.order_by(*order)
