"""What comes after a simulated log: the same users on the same site, for some more days.

The world is made again from the log's own configuration and seed, walked to the log's end, and then on. What
was decided before the end stays decided: open needs, remembered items, purchases under way. What comes
later has a seed of its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from corank.logs.marketplace.catalog import Catalog, promotions
from corank.logs.marketplace.codes import SEARCH
from corank.logs.marketplace.config import MarketplaceConfig
from corank.logs.marketplace.fresh import Fresh, joined
from corank.logs.marketplace.journal import Counters, behaviour_tables, candidate_order, request_order
from corank.logs.marketplace.needs import Plan, make_needs, make_plan
from corank.logs.marketplace.offers import Site
from corank.logs.marketplace.original import Original
from corank.logs.marketplace.population import draw_devices
from corank.logs.marketplace.record import Record
from corank.logs.marketplace.span import Span
from corank.logs.marketplace.tables import user_tables
from corank.logs.marketplace.walk import Streams, Walk
from corank.logs.marketplace.world import make_world
from corank.logs.marketplace.writers import Writers
from corank.progress import QUIET, Reporter

_FRESH = 0xAB
"""Tells the seeds of what comes after a log from those of the log."""
_STREAMS = 6
_PROMOTION_DAYS = 3


def log_end(config: MarketplaceConfig) -> datetime:
    """The first moment after a log."""
    start = datetime(config.start.year, config.start.month, config.start.day, tzinfo=UTC)
    return start + timedelta(days=config.days)


def go_on(log: Path, out: Path, days: int, seed: int, progress: Reporter = QUIET) -> Fresh:
    """Simulate the days after a log's end; write the five tables of the log and those days to `out`.

    The site ranks as it did. The same log, days and seed give the same bytes.

    Args:
        log: a folder made by `simulate`.
        out: an empty folder; its rows before the log's end are the log's own (ids of requests, events and
            sessions may differ).
        days: at least 1.
        seed: of all that happens after the log's end, at least 0.
        progress: where to report.

    Raises:
        CorankError: the folder is no simulated log, or simulating it again does not give its rows.
    """
    original = Original(log)
    config = original.config
    world = make_world(config, original.seed)
    original.compare(world.items)
    items_seed, users_seed = np.random.SeedSequence([original.seed, _FRESH, seed]).spawn(2)
    catalog = _priced_on(config, world.catalog, days, np.random.default_rng(items_seed))
    chunks = len(world.bounds) - 1
    logged, used, found = Counters(), Counters(), []
    with Writers(out) as writers, progress.task("simulate on", chunks) as task:
        writers.write(_of_log(world.items))
        for chunk, chunk_seed in zip(world.chunks(), users_seed.spawn(chunks), strict=True):
            walk = Walk(chunk.site, chunk.plan, chunk.streams)
            tables, logged = behaviour_tables(chunk.site, chunk.plan, walk.record(), world.brands, logged)
            users = user_tables(chunk.site.population)
            original.compare(users | tables)

            devices, needs, *rest = (np.random.default_rng(stream) for stream in chunk_seed.spawn(_STREAMS))
            site, later = _planned_on(replace(chunk.site, catalog=catalog), days, devices, needs)
            walk.go_on(site, later, Streams(*rest))
            record = walk.record()
            found.append(_searches(site, walk.plan, len(chunk.plan.user_Q), record, used))
            longer = replace(site, config=config.model_copy(update={"days": config.days + days}))
            tables, used = behaviour_tables(longer, walk.plan, record, world.brands, used)
            writers.write(_of_log(users | tables))
            task.advance(note=f"{sum(one.requests for one in found)} searches after the log")
    original.finish()
    return joined(found)


def _priced_on(config: MarketplaceConfig, catalog: Catalog, days: int, rng: np.random.Generator) -> Catalog:
    """The items with promotions of the days after the log, too; those of its last days end with it."""
    warm = _PROMOTION_DAYS - 1  # so that promotions are as frequent on the first day as on any
    later_IT = promotions(config.catalog, days + warm, rng)[:, warm:]
    return replace(catalog, discount_IT=np.concatenate([catalog.discount_IT, later_IT], axis=1))


def _planned_on(
    site: Site, days: int, devices: np.random.Generator, rng: np.random.Generator
) -> tuple[Site, Plan]:
    """The site after the log's end, with the needs that arise then, and the plan of those days."""
    config, people = site.config, site.population
    later_UT = draw_devices(people.mobile_U, days, devices)
    people = replace(people, device_UT=np.concatenate([people.device_UT, later_UT], axis=1))
    span = Span.after_log(config, days)
    needs = site.needs.followed_by(make_needs(config, site.catalog, people, span, rng))
    return replace(site, population=people, needs=needs), make_plan(config, people, needs, span, rng)


def _searches(site: Site, plan: Plan, logged: int, record: Record, used: Counters) -> Fresh:
    """The searches among the requests after the first `logged` of the plan, numbered as in the tables."""
    served, c = record.served, record.candidates
    order_R = request_order(plan, served)
    plan_R = served.plan_R[order_R]
    places = np.flatnonzero((plan_R >= logged) & (plan.domain_Q[plan_R] == SEARCH))
    chosen_R, plan_R = order_R[places], plan_R[places]
    chosen_A = candidate_order(served, chosen_R)
    return Fresh(
        config=site.config,
        catalog=site.catalog,
        request_id_R=used.requests + places,
        user_id_R=site.population.first_id + plan.user_Q[plan_R],
        hours_R=plan.hours_Q[plan_R],
        exponent_R=served.exponent_R[chosen_R],
        begin_R=np.append(0, np.cumsum(served.count_R[chosen_R])),
        item_A=c.item_A[chosen_A],
        position_A=c.position_A[chosen_A],
        would_click_A=c.would_click_A[chosen_A],
        would_buy_A=c.would_buy_A[chosen_A],
    )


def _of_log(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables that a site has, without the truth."""
    return {name: table for name, table in tables.items() if not name.startswith("truth/")}
