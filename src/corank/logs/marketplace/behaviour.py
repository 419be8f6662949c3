"""How users react to a list: pure functions from arrays to probabilities.

The simulator calls them to make logs; a simulated A/B test can call them again on re-ranked lists.
A list's clicks follow the position-based model: P(click) = P(examined at position) x P(click if examined).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.catalog import DAY, Catalog, Floats, Ints
from corank.logs.marketplace.codes import REC, SEARCH, SHOP
from corank.logs.marketplace.config import MarketplaceConfig
from corank.logs.marketplace.needs import Needs
from corank.logs.marketplace.population import Population

DEVICE_EXAMINATION = np.array([1.1, 0.9, 0.95], dtype=np.float32)
"""Factor of the examination exponent by device: a small screen shows less of the list."""


@dataclass(frozen=True)
class Lists:
    """Lists of items before users (R lists of W items)."""

    user_R: NDArray[np.int64]
    hours_R: NDArray[np.float64]
    need_RK: NDArray[np.int64]
    """Up to K needs the user has in mind, -1 for none."""
    settled_RK: NDArray[np.bool_]
    """Which of them a purchase has settled (or will, since the user has decided)."""
    mood_R: Floats
    item_RW: Ints
    price_RW: Floats
    seen_RW: NDArray[np.bool_]
    """Whether the user clicked on the item before and remembers."""


@dataclass(frozen=True)
class Reaction:
    """What users make of the items, were they examined."""

    need_RW: NDArray[np.int64]
    """The need the item serves best, -1 if it is attractive (or not) for taste alone."""
    utility_RW: Floats
    """Log odds of a click."""
    relevance_RW: Floats
    """Fit to that need or taste alone, in [0, 1]: no price, rating, mood or memory."""
    would_click_RW: Floats
    would_buy_RW: Floats
    """Probability of deciding to buy, given a click."""


def sigmoid(x: Floats) -> Floats:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-x)), dtype=np.float32)


def examination(position: NDArray[np.integer], exponent: NDArray[np.floating]) -> Floats:
    """Probability that a position (1-based, 0 for not shown) is looked at: position ** -exponent."""
    shown = position > 0
    looked = np.power(np.maximum(position, 1).astype(np.float32), -exponent.astype(np.float32))
    return np.asarray(np.where(shown, looked, np.float32(0)), dtype=np.float32)


def examination_exponent(
    config: MarketplaceConfig,
    population: Population,
    domain: int,
    user_R: NDArray[np.int64],
    hours_R: NDArray[np.float64],
) -> Floats:
    """How fast examination falls with position: by domain, the device of the day, and the user's patience."""
    b = config.behaviour
    base = {SEARCH: b.examination_search, REC: b.examination_feed, SHOP: b.examination_shop}[domain]
    device_R = population.device_UT[user_R, (hours_R // DAY).astype(np.int64)]
    exponent_R = base * DEVICE_EXAMINATION[device_R] * population.patience_U[user_R]
    return np.asarray(exponent_R, dtype=np.float32)


def click_chance(
    position: NDArray[np.integer], exponent: NDArray[np.floating], would_click: Floats
) -> Floats:
    """Probability of a click at a position; times `would_buy`, that of a purchase.

    The inputs broadcast together, so it gives what any re-ranking of a list's items would bring.
    """
    return examination(position, exponent) * would_click


def react(
    config: MarketplaceConfig,
    catalog: Catalog,
    population: Population,
    needs: Needs,
    lists: Lists,
    searching: bool,
) -> Reaction:
    """The user's reaction to every item of every list; a searching user thinks of the need alone."""
    b = config.behaviour
    item_RW = lists.item_RW
    style_RWD = catalog.style_ID[item_RW]
    rating_RW, category_RW = catalog.rating_I[item_RW], catalog.category_I[item_RW]
    shared_RW = b.rating_weight * rating_RW + b.seen_bonus * lists.seen_RW + lists.mood_R[:, None]
    log_price_RW = np.log(lists.price_RW)
    sensitivity_R1 = population.sensitivity_U[lists.user_R][:, None]
    scale = np.float32(b.fit_weight / np.sqrt(style_RWD.shape[2]))

    if searching:
        serves_RW = np.full(item_RW.shape, -np.inf, dtype=np.float32)
        relevance_RW = np.zeros(item_RW.shape, dtype=np.float32)
    else:
        taste_RWD = _taste(config, catalog, population, lists)
        relevance_RW = b.browse_base + scale * np.einsum("rwd,rwd->rw", style_RWD, taste_RWD)
        usual_RW = catalog.log_price_C[category_RW] + population.wealth_U[lists.user_R][:, None]
        serves_RW = relevance_RW - sensitivity_R1 * (log_price_RW - usual_RW)
    above_RW = serves_RW - np.float32(b.browse_base - b.browse_buy_penalty / max(b.buy_utility, 1e-6))
    need_RW = np.full(item_RW.shape, -1, dtype=np.int64)
    settled_RW = np.zeros(item_RW.shape, dtype=bool)

    for need_R, settled_R in zip(lists.need_RK.T, lists.settled_RK.T, strict=True):
        category_R1 = needs.category_J[need_R][:, None]
        sibling_RW = catalog.department_I[item_RW] == catalog.department_C[category_R1]
        match_RW = np.where(category_RW == category_R1, 1.0, b.sibling_match * sibling_RW)
        fit_RW = scale * np.einsum("rwd,rd->rw", style_RWD, needs.target_JD[need_R])
        fitting_RW = b.click_base + b.match_weight * match_RW.astype(np.float32) + fit_RW
        worth_RW = fitting_RW + b.brand_bonus * (catalog.brand_I[item_RW] == needs.brand_J[need_R][:, None])
        worth_RW -= sensitivity_R1 * (log_price_RW - needs.log_budget_J[need_R][:, None])
        worth_RW += (0.0 if searching else b.feed_penalty) + b.settled_penalty * settled_R[:, None]
        better_RW = (worth_RW > serves_RW) & (need_R >= 0)[:, None]
        serves_RW = np.where(better_RW, worth_RW, serves_RW)
        relevance_RW = np.where(better_RW, fitting_RW, relevance_RW)
        above_RW = np.where(better_RW, worth_RW - (b.click_base + b.match_weight), above_RW)
        need_RW = np.where(better_RW, need_R[:, None], need_RW)
        settled_RW = np.where(better_RW, settled_R[:, None], settled_RW)

    utility_RW = serves_RW + shared_RW
    surprise_RW = catalog.quality_I[item_RW] - rating_RW
    decision_RW = b.buy_utility * (above_RW + shared_RW - lists.mood_R[:, None]) + b.buy_quality * surprise_RW
    would_buy_RW = np.where(settled_RW, np.float32(0), sigmoid(np.float32(b.buy_base) + decision_RW))
    return Reaction(
        need_RW=need_RW,
        utility_RW=utility_RW.astype(np.float32),
        relevance_RW=sigmoid(relevance_RW).astype(np.float32),
        would_click_RW=sigmoid(utility_RW).astype(np.float32),
        would_buy_RW=would_buy_RW.astype(np.float32),
    )


def _taste(config: MarketplaceConfig, catalog: Catalog, population: Population, lists: Lists) -> Floats:
    """Each user's taste for each item's department at the list's time, [R, W, D]."""
    passed_R = (lists.hours_R / (config.days * DAY)).astype(np.float32)
    drift_RD = population.drift_UD[lists.user_R] * passed_R[:, None]
    taste_RWD = population.taste_UGD[lists.user_R[:, None], catalog.department_I[lists.item_RW]]
    return np.asarray(taste_RWD + drift_RD[:, None, :], dtype=np.float32)
