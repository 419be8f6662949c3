"""What a build knows before it looks at a user: cuts, numbered requests, fates, items, queries."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from corank.logs import LogTables
from corank.progress import Task
from corank.samples import checks, duplicates, inputs
from corank.samples.columns import refuse_clashes, request_columns, sample_columns
from corank.samples.config import Recipe, SampleConfig, reaches
from corank.samples.dealing import gathered, logs_by_user
from corank.samples.engine import Engine, Logs
from corank.samples.exposures import shown
from corank.samples.labels import fates
from corank.samples.queries import known_queries, led_to
from corank.samples.requests import listed, numbered
from corank.samples.split import Cuts, cuts, timeline, with_split
from corank.samples.texts import Texts, read_texts

STEPS = 3
"""Steps that `make_plan` reports."""


@dataclass(frozen=True)
class Plan:
    """The choices of a build and what is true of the whole log.

    Attributes:
        engine, recipe, config, seed: what runs, and what was asked for.
        logs: the log tables.
        parts: the same, dealt out to shards of users.
        cuts: where the splits begin.
        requests: numbered requests of all splits.
        fates: every labelling event with its first fate.
        exposures: every exposure, or None if they are not counted.
        led: own labels with the query that led to them, if the recipe makes pseudo requests.
        known: the queries of training requests, likewise.
        texts: what texts and items are compared by.
        ranked, relative: candidate columns that are ranked, and compared with the item touched last.
        scopes, actions: whose touches are counted, and which actions apart.
        request_columns, sample_columns: those of the store.
        left_out: reason -> requests that are not among the samples'.
    """

    engine: Engine
    recipe: Recipe
    config: SampleConfig
    seed: int
    logs: Logs
    parts: list[Logs]
    cuts: Cuts
    requests: ir.Table
    fates: ir.Table
    exposures: ir.Table | None
    led: ir.Table | None
    known: ir.Table | None
    texts: Texts
    ranked: tuple[str, ...]
    relative: tuple[str, ...]
    scopes: dict[str, list[str]]
    actions: tuple[str, ...]
    request_columns: list[str]
    sample_columns: list[str]
    left_out: dict[str, int]

    @property
    def searchifies(self) -> bool:
        """Whether the recipe makes pseudo requests."""
        return reaches(self.recipe, "es3")

    @property
    def attributes(self) -> bool:
        """Whether the recipe attributes labels."""
        return reaches(self.recipe, "attributed")

    @property
    def valid_from(self) -> ir.Column:
        """The end of training, as a value of the engine's."""
        return ibis.timestamp(self.cuts.valid_from)

    def sources(self, requests: ir.Table) -> ir.Table:
        """Those of the log's requests, of other domains, whose clicks may become pseudo requests."""
        domains = self.config.pseudo_domains
        elsewhere = requests.domain.isin(domains) if domains else ~requests.domain.isin(self.config.domains)
        columns = [
            name for name in ("request_id", "user_id", "session_id", "timestamp") if name in requests.columns
        ]
        return requests.filter(elsewhere, requests.timestamp < self.valid_from).select(*columns)


def make_plan(
    engine: Engine,
    tables: LogTables,
    recipe: Recipe,
    config: SampleConfig,
    seed: int,
    task: Task,
    shards: int = 1,
) -> Plan:
    """Look at the whole log once; `shards` tells in how many its users will be done.

    Raises:
        CorankError: the log lacks what the configuration names, or a split would be empty.
    """
    ranked = inputs.rank_columns(tables, config)
    relative = inputs.relative_columns(tables, config)
    scopes = inputs.scopes(tables)
    logs = engine.read(tables)
    task.advance(note="duplicates")
    duplicates.refuse_repeated_ids(engine, tables, logs)
    parts = logs_by_user(engine, logs, shards)
    duplicates.refuse_bad_lists(engine, tables, parts)
    if config.duplicate_events == "refuse":
        duplicates.refuse_repeated_events(engine, tables, parts)
    actions = checks.touch_actions(engine, tables, logs, recipe, config)
    checks.refuse_domains(engine, logs, recipe, config)
    per_request = request_columns(tables)
    per_sample = sample_columns(tables, ranked, relative, scopes, actions, config.exposure_counts)
    refuse_clashes(tables, [*per_request, *per_sample])
    texts = read_texts(engine, tables, logs, recipe, config)

    task.advance(note="splits")
    found = gathered(
        engine, "listed", [listed(own.requests, own.candidates, config.domains) for own in parts]
    )
    when = engine.one(timeline(found, config))
    if not when["requests"]:
        raise checks.no_requests(engine, tables, logs, config)
    where = cuts(when, config)
    requests = engine.keep("numbered", numbered(with_split(found, where), recipe, config, seed))
    checks.refuse_empty(engine, requests, where)

    task.advance(note="events")
    fate = engine.keep("fates", fates(logs.events, logs.requests, requests, logs.candidates, recipe, config))
    led = known = None
    if reaches(recipe, "es3"):
        led = engine.keep("led", led_to(fate, requests, texts.queries))
        known = engine.keep("known", known_queries(requests, texts.queries))
    exposures = None
    if config.exposure_counts:
        exposures = gathered(engine, "exposures", [shown(own.requests, own.candidates) for own in parts])
    return Plan(
        engine=engine,
        recipe=recipe,
        config=config,
        seed=seed,
        logs=logs,
        parts=parts,
        cuts=where,
        requests=requests,
        fates=fate,
        exposures=exposures,
        led=led,
        known=known,
        texts=texts,
        ranked=ranked,
        relative=relative,
        scopes=scopes,
        actions=actions,
        request_columns=per_request,
        sample_columns=per_sample,
        left_out=checks.left_out(engine, logs, found, requests, config),
    )
