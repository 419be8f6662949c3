"""The steps in their order: log tables to the tables that the store is written from."""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir

from corank.logs import LogTables
from corank.progress import Task
from corank.samples import checks, inputs
from corank.samples.anchors import from_touch, listed_candidates
from corank.samples.columns import refuse_clashes, request_columns, sample_columns
from corank.samples.config import Recipe, SampleConfig
from corank.samples.engine import Engine
from corank.samples.expansion import candidates_of, expanded
from corank.samples.exposures import shown, shown_to_anyone, shown_to_user
from corank.samples.histories import history_events, with_history
from corank.samples.labels import fates, own_labels
from corank.samples.popularity import item_clicks
from corank.samples.ranks import with_ranks
from corank.samples.requests import listed, numbered
from corank.samples.rows import request_rows, sample_rows
from corank.samples.split import Cuts, cuts, timeline, with_split
from corank.samples.touches import touches

STEPS = 6
"""Steps that `prepare` reports."""


@dataclass(frozen=True)
class Prepared:
    """What the steps made.

    Attributes:
        requests: rows of requests, in the store's order.
        samples: flat rows of samples, in the store's order.
        lengths: `_split` and `_samples` of each request, in the store's order.
        history: events, unsorted.
        items: the item table, unsorted.
        cuts: where the splits begin.
        left_out: reason -> requests that are not among them.
        events: fate -> clicks and purchases.
        actions: actions with touch counts.
    """

    requests: ir.Table
    samples: ir.Table
    lengths: ir.Table
    history: ir.Table
    items: ir.Table
    cuts: Cuts
    left_out: dict[str, int]
    events: dict[str, int]
    actions: tuple[str, ...]


def prepare(
    engine: Engine, tables: LogTables, recipe: Recipe, config: SampleConfig, seed: int, task: Task
) -> Prepared:
    """Run the steps of a recipe.

    Raises:
        CorankError: the log lacks what the configuration names, or a split would be empty.
    """
    ranked = inputs.rank_columns(tables, config)
    relative = inputs.relative_columns(tables, config)
    scopes = inputs.scopes(tables)
    logs = engine.read(tables)
    checks.refuse_duplicates(engine, tables, logs)
    actions = checks.touch_actions(engine, tables, logs, config)
    per_request = request_columns(tables)
    per_sample = sample_columns(tables, ranked, relative, scopes, actions, config.exposure_counts)
    refuse_clashes(tables, [*per_request, *per_sample])

    task.advance(note="splits")
    found = engine.keep("listed", listed(logs.requests, logs.candidates, config.domains))
    when = engine.one(timeline(found, config))
    if not when["requests"]:
        raise checks.no_requests(engine, tables, logs, config)
    where = cuts(when, config)
    requests = engine.keep("numbered", numbered(with_split(found, where), recipe, config, seed))
    lengths = requests.order_by("_number").select("_split", "_samples")
    checks.refuse_empty(engine, requests, where)

    task.advance(note="histories")
    history = history_events(logs.events, requests, config.history_actions)
    placed = engine.keep("placed", with_history(requests, history))

    task.advance(note="candidates")
    candidates = with_ranks(candidates_of(requests, logs.candidates, seed), ranked)
    samples = engine.keep("samples", expanded(candidates))
    scope = [name for name in ("user_id", "session_id") if name in requests.columns]
    asking = samples.select("_row", "_number", "item_id").inner_join(
        requests.select("_number", "timestamp", *scope), "_number"
    )
    clicks = item_clicks(asking.select("_row", "item_id", "timestamp"), logs.events, config.click_actions)
    computed = [engine.keep("item_clicks", clicks)]
    if config.exposure_counts:
        exposures = engine.keep("exposures", shown(logs.requests, logs.candidates))
        computed.append(engine.keep("shown_to_user", shown_to_user(asking, exposures)))
        computed.append(engine.keep("shown_to_anyone", shown_to_anyone(asking, exposures)))

    task.advance(note="labels")
    fate = engine.keep("fates", fates(logs.events, logs.requests, requests, logs.candidates, config))

    task.advance(note="touches")
    for name, by in scopes.items():
        touched = touches(asking, logs.events, by, name, actions)
        computed.append(engine.keep(f"{name}_touches", touched))
    lists = listed_candidates(requests, logs.candidates, relative)
    anchored = from_touch(samples, lists, requests, logs.events, relative)
    computed.append(engine.keep("from_touch", anchored))
    prepared = Prepared(
        requests=request_rows(placed, logs.requests, logs.users, per_request),
        samples=sample_rows(samples, own_labels(fate), computed, per_sample),
        lengths=lengths,
        history=history,
        items=logs.items,
        cuts=where,
        left_out=checks.left_out(engine, logs, found, requests, config),
        events=checks.fate_counts(engine, fate),
        actions=actions,
    )
    task.advance()
    return prepared
