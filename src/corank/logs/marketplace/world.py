"""What a seed decides: the items, and chunk by chunk the users, their needs and their plans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from corank.logs.marketplace.catalog import Catalog, make_catalog
from corank.logs.marketplace.config import MarketplaceConfig
from corank.logs.marketplace.needs import Plan, make_needs, make_plan
from corank.logs.marketplace.offers import Site
from corank.logs.marketplace.population import Society, make_population, make_society
from corank.logs.marketplace.retrieval import Pools, make_pools
from corank.logs.marketplace.span import Span
from corank.logs.marketplace.tables import item_tables
from corank.logs.marketplace.vocabulary import brand_names
from corank.logs.marketplace.walk import Streams

CHUNK_REQUESTS = 30_000
"""Expected searches of one chunk of users: what is held in memory at a time."""
_CHUNK_STREAMS = 6


@dataclass(frozen=True)
class Chunk:
    """Some users, what they need, and the requests they plan for the time of the log."""

    site: Site
    plan: Plan
    streams: Streams


@dataclass(frozen=True)
class World:
    """A marketplace before anything happens in it."""

    config: MarketplaceConfig
    catalog: Catalog
    society: Society
    pools: Pools
    brands: list[str]
    items: dict[str, pa.Table]
    """The tables `items` and `truth/items`."""
    users_seed: np.random.SeedSequence

    @cached_property
    def bounds(self) -> list[int]:
        """The first user of each chunk, then the number of users."""
        chunks = -(-self.config.requests // CHUNK_REQUESTS)
        bounds = np.linspace(0, self.config.users, min(chunks, self.config.users) + 1)
        return [int(bound) for bound in bounds]

    def chunks(self) -> Iterator[Chunk]:
        """Its users, chunk by chunk; to be taken once."""
        config, bounds = self.config, self.bounds
        seeds = self.users_seed.spawn(len(bounds) - 1)
        for chunk_seed, first, last in zip(seeds, bounds, bounds[1:], strict=False):
            people_rng, needs_rng, *rest = (
                np.random.default_rng(stream) for stream in chunk_seed.spawn(_CHUNK_STREAMS)
            )
            people = make_population(config, self.catalog, self.society, first, last - first, people_rng)
            needs = make_needs(config, self.catalog, people, Span.of_needs(config), needs_rng)
            plan = make_plan(config, people, needs, Span.of_log(config), needs_rng)
            yield Chunk(Site(config, self.catalog, self.pools, people, needs), plan, Streams(*rest))


def make_world(config: MarketplaceConfig, seed: int) -> World:
    """Draw a marketplace; the same configuration and seed give the same one."""
    catalog_seed, society_seed, words_seed, users_seed = np.random.SeedSequence(seed).spawn(4)
    catalog = make_catalog(config, np.random.default_rng(catalog_seed))
    words = np.random.default_rng(words_seed)
    brands = brand_names(config.catalog.brands, words)
    return World(
        config=config,
        catalog=catalog,
        society=make_society(catalog, np.random.default_rng(society_seed)),
        pools=make_pools(catalog, least=2 * config.retrieval.search_candidates),
        brands=brands,
        items=item_tables(config, catalog, brands, words),
        users_seed=users_seed,
    )
