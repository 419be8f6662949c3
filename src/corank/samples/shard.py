"""The rows of some users: samples, labels and all that the users' own events tell of them."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from corank.progress import Task
from corank.samples.anchors import from_touch, listed_candidates
from corank.samples.anywhere import anywhere
from corank.samples.apart import lists_apart
from corank.samples.attribution import attributed, attributed_labels, is_free, targets
from corank.samples.engine import Engine
from corank.samples.expansion import candidates_of, expanded
from corank.samples.exposures import shown_to_user
from corank.samples.histories import history_events, with_history_length
from corank.samples.labels import merged, own_labels
from corank.samples.parts import Part
from corank.samples.plan import Plan
from corank.samples.pseudo import searchified
from corank.samples.ranks import with_ranks
from corank.samples.rows import request_rows, sample_rows
from corank.samples.scores import with_score
from corank.samples.touches import touches

STEPS = 4
"""Steps that `shard_rows` reports."""


@dataclass(frozen=True)
class Rows:
    """What the store is written from, in no order.

    Attributes:
        requests: rows of requests, with the columns by which they are ordered.
        samples: flat rows of samples, with `_number` and `_row`, but for what only everyone's events tell.
        fates: every labelling event with its last fate and the `_number` of the request that it labels.
    """

    requests: ir.Table
    samples: ir.Table
    fates: ir.Table


def shard_rows(plan: Plan, part: Part, shard: int, task: Task) -> Rows:
    """Run the steps for the users of a shard, whose tables are `part`."""
    engine, config = plan.engine, plan.config
    logs, requests, fates = part.logs, part.requests, part.fates

    task.advance(note="candidates")
    ranked = with_ranks(candidates_of(requests, logs.candidates, plan.seed), plan.ranked)
    columns = [name for name in plan.sample_columns if name in ranked.columns]
    samples = engine.keep("samples", expanded(ranked).select("_number", *columns, "_drawn", "_row"))
    requests = requests.mutate(
        query_source=ibis.literal("logged"),
        _pseudo=ibis.null(samples.item_id.type()),
        _embedded=requests.request_id,
    )

    task.advance(note="labels")
    labels, ledger = [own_labels(fates)], fates
    if plan.attributes:
        free = engine.keep("free", fates.filter(is_free(fates, plan.valid_from)))
        told = engine.keep("attributed", _attributed(plan, samples, requests, fates, free))
        labels.append(attributed_labels(told))
        if plan.searchifies:
            pseudo = searchified(plan, logs, fates, told, columns, shard)
            requests = _union(engine, "all_requests", requests, pseudo.requests)
            samples = _union(engine, "all_samples", samples, pseudo.samples)
            labels.append(pseudo.labels)
            told = pseudo.fates
        ledger = fates.filter(~is_free(fates, plan.valid_from)).union(told)
    label = engine.keep("labels", merged(*labels))

    task.advance(note="columns")
    scope = [name for name in ("user_id", "session_id") if name in requests.columns]
    asking = samples.select("_row", "_number", "item_id").inner_join(
        requests.select("_number", "timestamp", "_split_end", *scope), "_number"
    )
    told_of = [engine.keep("anywhere", anywhere(asking, logs.events, config))]
    if part.exposures is not None:
        told_of.append(engine.keep("shown_to_user", shown_to_user(asking, part.exposures)))

    task.advance(note="touches")
    for name, by in plan.scopes.items():
        told_of.append(engine.keep(f"{name}_touches", touches(asking, logs.events, by, name, plan.actions)))
    lists = listed_candidates(requests, logs.candidates, plan.relative)
    told_of.append(
        engine.keep("from_touch", from_touch(samples, lists, requests, logs.events, plan.relative))
    )
    history = history_events(logs.events, logs.requests, config.history_actions)
    placed = engine.keep("placed", with_history_length(requests, history))
    asked = request_rows(placed, logs.requests, plan.logs.requests, logs.users, plan.request_columns)
    rows = sample_rows(samples, label, told_of, plan.sample_columns, config)
    if config.unexposed_domain is not None:
        drawn = samples.filter(samples["_drawn"]).select("_number", "_row")
        asked, rows = lists_apart(asked, rows, drawn, config.unexposed_domain)
    return Rows(asked, rows, ledger)


def _attributed(
    plan: Plan, samples: ir.Table, requests: ir.Table, fates: ir.Table, free: ir.Table
) -> ir.Table:
    """The free events after attribution to training samples that are relevant."""
    train = requests.filter(requests["_split"] == 0).select(
        "_number", "request_id", "user_id", "timestamp", "query"
    )
    asked = samples.select("_row", "_number", "item_id", "exposed").inner_join(train, "_number")
    aims = targets(asked, free)
    if plan.texts.relevance is not None:
        sides = plan.texts.relevance
        scored = with_score(aims, sides, sides.left_key, "item_id", "left")
        aims = scored.filter((scored["_score"] > plan.config.relevance_above).fill_null(True)).drop("_score")
    aims = plan.engine.keep("targets", aims)
    own = fates.filter(fates["_fate"] == "labels").select("_number", "item_id", "timestamp")
    return attributed(free, aims, own, plan.config.window)


def _union(engine: Engine, name: str, one: ir.Table, other: ir.Table) -> ir.Table:
    columns = [column for column in one.columns if column in other.columns]
    return engine.keep(name, one.select(*columns).union(other.select(*columns)))
