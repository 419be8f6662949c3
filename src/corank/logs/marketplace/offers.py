"""The candidates of one round's requests, domain by domain."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.catalog import Catalog, Floats, Ints
from corank.logs.marketplace.config import MarketplaceConfig
from corank.logs.marketplace.memory import QUERIES, Memory
from corank.logs.marketplace.needs import Needs, draw_category
from corank.logs.marketplace.population import Population
from corank.logs.marketplace.retrieval import Pools, Query, blend, retrieve

_SOURCE_BONUS = (1.5, 0.9, 0.0, -0.2, 0.0)
"""The feed's bonus by source: last query, the one before, interest, everything, remembered items."""
_TAKE = 24
"""Items the feed takes of each source."""


@dataclass(frozen=True)
class Site:
    """What requests of a chunk are served from."""

    config: MarketplaceConfig
    catalog: Catalog
    pools: Pools
    population: Population
    needs: Needs


@dataclass(frozen=True)
class Offer:
    """Candidates with their retrieval scores, and what was asked."""

    query: Query
    item_RW: Ints
    score_RW: Floats

    def take(self, rows: NDArray[np.bool_]) -> Offer:
        """The offers of some of the requests."""
        asked = (getattr(self.query, field.name)[rows] for field in fields(self.query))
        return Offer(Query(*asked), self.item_RW[rows], self.score_RW[rows])


def search_offer(
    site: Site, need_R: NDArray[np.int64], hours_R: NDArray[np.float64], rng: np.random.Generator
) -> Offer:
    """Word a query for each need and retrieve by its words alone."""
    n, size = site.config.needs, len(need_R)
    category_R = site.needs.category_J[need_R]
    vague_R = rng.random(size) < n.vague_share
    department_R = site.catalog.department_C[category_R]
    names_brand_R = rng.random(size) < 0.6
    names_style_R = rng.random(size) < n.adjective_share
    # The two strongest dimensions of the need come to mind.
    target_RD = site.needs.target_JD[need_R]
    strongest_RD = np.argsort(-np.abs(target_RD), axis=1, kind="stable")
    dimension_R = strongest_RD[np.arange(size), (rng.random(size) < 0.35).astype(np.int64)]
    pole_R = target_RD[np.arange(size), dimension_R] > 0
    query = Query(
        pool_R=np.where(vague_R, site.pools.first_department + department_R, category_R),
        category_R=np.where(vague_R, -1, category_R),
        brand_R=np.where(names_brand_R, site.needs.brand_J[need_R], -1),
        adjective_R=np.where(names_style_R, 2 * dimension_R + pole_R, -1),
    )
    take = site.config.retrieval.search_candidates
    return Offer(query, *retrieve(site.config.retrieval, site.pools, query, hours_R, take, rng))


def shop_offer(
    site: Site,
    memory: Memory,
    user_R: NDArray[np.int64],
    need_R: NDArray[np.int64],
    hours_R: NDArray[np.float64],
    rng: np.random.Generator,
) -> Offer:
    """The page of a brand: the one in mind, else of the item clicked last, else one of the department."""
    catalog, size = site.catalog, len(user_R)
    category_R = site.needs.category_J[need_R]
    last_R = memory.item_UM[user_R, (memory.next_U[user_R] - 1) % memory.item_UM.shape[1]]
    same_R = (last_R >= 0) & (catalog.department_I[last_R] == catalog.department_C[category_R])
    popular_R = site.pools.item_PN[site.pools.first_department + catalog.department_C[category_R]]
    any_R = popular_R[np.arange(size), rng.integers(0, min(20, popular_R.shape[1]), size)]
    brand_R = catalog.brand_I[np.where(same_R, last_R, any_R)].astype(np.int64)
    in_mind_R = site.needs.brand_J[need_R]
    brand_R = np.where(in_mind_R >= 0, in_mind_R, brand_R)
    nothing_R = np.full(size, -1)
    query = Query(site.pools.first_brand + brand_R, category_R, brand_R, nothing_R)
    take = site.config.retrieval.shop_candidates
    return Offer(query, *retrieve(site.config.retrieval, site.pools, query, hours_R, take, rng))


def feed_offer(
    site: Site,
    memory: Memory,
    user_R: NDArray[np.int64],
    hours_R: NDArray[np.float64],
    rng: np.random.Generator,
) -> Offer:
    """Items of the last queries, of interest, popular and remembered, merged."""
    size, nothing_R = len(user_R), np.full(len(user_R), -1)
    items, bonuses = [], []
    for source, bonus in enumerate(_SOURCE_BONUS[:-1]):
        interest_R = draw_category(site.population, user_R, rng)
        if source < QUERIES:
            asked_RF = memory.query_UQF[user_R, source]
            asked_R = asked_RF[:, 0] >= 0
            query = Query(
                np.where(asked_R, asked_RF[:, 0], interest_R), asked_RF[:, 1], asked_RF[:, 2], asked_RF[:, 3]
            )
        else:
            everything_R = np.full(size, site.pools.everything)
            pool_R = interest_R if source == QUERIES else everything_R
            query = Query(pool_R, nothing_R, nothing_R, nothing_R)
        item_RW, _ = retrieve(site.config.retrieval, site.pools, query, hours_R, _TAKE, rng)
        items.append(item_RW)
        bonuses.append(np.full(item_RW.shape, bonus, dtype=np.float32))
    items.append(memory.item_UM[user_R])
    bonuses.append(np.full(items[-1].shape, _SOURCE_BONUS[-1], dtype=np.float32))
    item_RW, score_RW = blend(
        site.config.retrieval,
        site.catalog,
        site.population.guess_UGD[user_R],
        np.concatenate(items, axis=1),
        np.concatenate(bonuses, axis=1),
        hours_R,
        site.config.retrieval.feed_candidates,
        rng,
    )
    return Offer(Query(nothing_R, nothing_R, nothing_R, nothing_R), item_RW, score_RW)
