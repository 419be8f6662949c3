"""The site's side: what is retrieved for a request, and how the logging ranker orders it.

It knows the query's words, what the user searched for and clicked lately, popularity, ratings, and noisy
views of taste and style. It does not know needs, quality or budgets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.catalog import COLD_HOURS, Catalog, Floats, Ints
from corank.logs.marketplace.config import RetrievalConfig

NO_ITEM = -1
NEVER = np.float32(1e9)
"""Hours: the birth of what fills up short lists."""


@dataclass(frozen=True)
class Pools:
    """Inverted lists (P pools of up to N items): categories, then departments, brands, and one of everything.

    A category's list is filled up with the most popular items of its department. Item columns are aligned
    with the lists, so that scoring a list is a sequential read.
    """

    item_PN: Ints
    category_PN: Ints
    brand_PN: Ints
    log_popularity_PN: Floats
    birth_PN: Floats
    death_PN: Floats
    view_PDN: Floats
    first_department: int
    first_brand: int
    everything: int


@dataclass(frozen=True)
class Query:
    """What is asked for, one a row (R); -1 for what is not said."""

    pool_R: NDArray[np.int64]
    category_R: NDArray[np.int64]
    brand_R: NDArray[np.int64]
    adjective_R: NDArray[np.int64]
    """Twice the style dimension, plus 1 for its positive pole."""


def make_pools(catalog: Catalog, least: int) -> Pools:
    """Build the lists; a category's holds at least `least` items where its department has them."""
    by_popularity = np.argsort(-catalog.log_popularity_I, kind="stable")
    width = max(least, int(np.bincount(catalog.category_I).max()))
    departments, brands = len(catalog.words.departments), len(catalog.brand_department_B)
    lists: list[NDArray[np.int64]] = []
    ranked_department = catalog.department_I[by_popularity]
    in_department = [by_popularity[ranked_department == g] for g in range(departments)]
    for category, department in enumerate(catalog.department_C.tolist()):
        near = in_department[department]
        own = catalog.category_I[near] == category
        fill = max(0, least - int(own.sum()))
        lists.append(np.concatenate([near[own], near[~own][:fill]]))
    lists.extend(in_department)
    ranked_brand = catalog.brand_I[by_popularity]
    by_brand = by_popularity[np.argsort(ranked_brand, kind="stable")]
    lists.extend(np.split(by_brand, np.cumsum(np.bincount(catalog.brand_I, minlength=brands))[:-1]))
    lists.append(by_popularity)

    item_PN = np.full((len(lists), width), NO_ITEM, dtype=np.int32)
    for row, items in enumerate(lists):
        item_PN[row, : min(width, len(items))] = items[:width]
    categories = len(catalog.department_C)
    return Pools(
        item_PN=item_PN,
        category_PN=catalog.category_I[item_PN],
        brand_PN=catalog.brand_I[item_PN],
        log_popularity_PN=catalog.log_popularity_I[item_PN],
        birth_PN=np.where(item_PN == NO_ITEM, NEVER, catalog.birth_I[item_PN]),
        death_PN=catalog.death_I[item_PN],
        view_PDN=np.ascontiguousarray(catalog.view_ID[item_PN].transpose(0, 2, 1)),
        first_department=categories,
        first_brand=categories + departments,
        everything=len(lists) - 1,
    )


def retrieve(
    config: RetrievalConfig,
    pools: Pools,
    query: Query,
    hours_R: NDArray[np.float64],
    take: int,
    rng: np.random.Generator,
) -> tuple[Ints, Floats]:
    """The `take` best items for sale of each query's list, best first, with their scores.

    Rows of fewer items end in `NO_ITEM` with a score of minus infinity.
    """
    # In place, term by term: these arrays are the widest of the simulation.
    pool, when_R1 = query.pool_R, hours_R.astype(np.float32)[:, None]
    age_RN = when_R1 - pools.birth_PN[pool]
    gone_RN = (age_RN < 0) | (pools.death_PN[pool] <= when_R1)
    score_RN = rng.standard_normal(age_RN.shape, dtype=np.float32)
    score_RN *= np.float32(config.noise)
    age_RN /= np.float32(COLD_HOURS / 2)
    np.minimum(age_RN, 2, out=age_RN)  # from 0 at birth to 2 once known
    age_RN += pools.log_popularity_PN[pool]
    age_RN *= np.float32(config.popularity_weight)
    score_RN += age_RN
    if (query.category_R >= 0).any():
        same_RN = pools.category_PN[pool] == query.category_R[:, None].astype(np.int32)
        score_RN += np.float32(config.category_weight) * same_RN
    if (query.brand_R >= 0).any():
        same_RN = pools.brand_PN[pool] == query.brand_R[:, None].astype(np.int32)
        score_RN += np.float32(config.brand_weight) * same_RN
    if (query.adjective_R >= 0).any():
        pole_R = np.where(query.adjective_R < 0, 0, 2 * (query.adjective_R % 2) - 1)
        view_RN = pools.view_PDN[pool, np.maximum(query.adjective_R, 0) // 2]
        view_RN *= (config.adjective_weight * pole_R).astype(np.float32)[:, None]
        score_RN += view_RN
    score_RN[gone_RN] = -np.inf
    place_RW, score_RW = best(score_RN, take)
    item_RW = np.take_along_axis(pools.item_PN[pool], place_RW, axis=1)
    item_RW[np.isneginf(score_RW)] = NO_ITEM
    return item_RW, score_RW


def best(score_RN: Floats, take: int) -> tuple[NDArray[np.int64], Floats]:
    """Places and values of each row's `take` highest scores, highest first."""
    if take < score_RN.shape[1]:
        place_RW = np.argpartition(-score_RN, take - 1, axis=1)[:, :take]
    else:
        place_RW = np.broadcast_to(np.arange(score_RN.shape[1]), score_RN.shape)
    score_RW = np.take_along_axis(score_RN, place_RW, axis=1)
    order_RW = np.argsort(-score_RW, axis=1, kind="stable")
    return np.take_along_axis(place_RW, order_RW, axis=1), np.take_along_axis(score_RW, order_RW, axis=1)


def blend(
    config: RetrievalConfig,
    catalog: Catalog,
    guess_RGD: Floats,
    item_RN: Ints,
    bonus_RN: Floats,
    hours_R: NDArray[np.float64],
    take: int,
    rng: np.random.Generator,
) -> tuple[Ints, Floats]:
    """The feed's recall: items of several sources, each once, by popularity, guessed taste and source."""
    order_RN = np.argsort(item_RN, axis=1, kind="stable")
    item_RN = np.take_along_axis(item_RN, order_RN, axis=1)
    bonus_RN = np.take_along_axis(bonus_RN, order_RN, axis=1)
    score_RN = np.float32(config.blend_noise) * rng.standard_normal(item_RN.shape, dtype=np.float32)
    score_RN += bonus_RN + np.float32(config.popularity_weight) * catalog.log_popularity_I[item_RN]
    score_RN += np.float32(0.4) * guessed_fit(catalog, guess_RGD, item_RN)
    again_RN = np.zeros(item_RN.shape, dtype=bool)
    again_RN[:, 1:] = item_RN[:, 1:] == item_RN[:, :-1]
    for_sale_RN = catalog.death_I[item_RN] > hours_R[:, None]
    score_RN[again_RN | (item_RN == NO_ITEM) | ~for_sale_RN] = -np.inf
    place_RW, score_RW = best(score_RN, take)
    item_RW = np.take_along_axis(item_RN, place_RW, axis=1)
    item_RW[np.isneginf(score_RW)] = NO_ITEM
    return item_RW, score_RW


def guessed_fit(catalog: Catalog, guess_RGD: Floats, item_RW: Ints) -> Floats:
    """How well the site thinks each item's style suits the user; about standard normal."""
    rows_R1 = np.arange(len(item_RW))[:, None]
    guess_RWD = guess_RGD[rows_R1, catalog.department_I[item_RW]]
    fit_RW = np.einsum("rwd,rwd->rw", guess_RWD, catalog.view_ID[item_RW])
    return np.asarray(fit_RW / np.sqrt(catalog.view_ID.shape[1]), dtype=np.float32)


def rank(
    config: RetrievalConfig,
    catalog: Catalog,
    guess_RGD: Floats,
    item_RW: Ints,
    score_RW: Floats,
    rng: np.random.Generator,
) -> NDArray[np.int8]:
    """The logging ranker: positions from 1 for the exposed items, 0 for the others."""
    total_RW = score_RW + np.float32(config.ranker_noise) * rng.standard_normal(
        item_RW.shape, dtype=np.float32
    )
    total_RW += np.float32(config.ranker_popularity) * catalog.log_popularity_I[item_RW]
    total_RW += np.float32(config.ranker_rating) * catalog.rating_I[item_RW]
    total_RW += np.float32(config.ranker_taste) * guessed_fit(catalog, guess_RGD, item_RW)
    place_RK, total_RK = best(total_RW, config.exposed)
    position_RK = np.where(np.isneginf(total_RK), 0, np.arange(1, config.exposed + 1))
    position_RW = np.zeros(item_RW.shape, dtype=np.int8)
    np.put_along_axis(position_RW, place_RK, position_RK.astype(np.int8), axis=1)
    return position_RW
