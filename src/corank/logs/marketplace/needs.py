"""What users need and when they look: needs, and the requests planned for them, before any feedback.

A need has a category, a point in style space, a budget and perhaps a brand. It causes sessions over its
duration; a session has searches and may go on to a shop's page and the feed. Other feed requests are
made without a present need, half of them at any time and half in the hours after a session. What a
purchase changes, `walk` decides.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.catalog import DAY, Catalog, Floats
from corank.logs.marketplace.codes import REC, SEARCH, SHOP
from corank.logs.marketplace.config import MarketplaceConfig
from corank.logs.marketplace.population import Population
from corank.logs.marketplace.span import Span

_HOUR_WEIGHTS = np.array(
    [2, 1, 1, 1, 1, 1, 2, 4, 5, 6, 6, 6, 7, 6, 6, 6, 6, 6, 7, 8, 10, 11, 9, 5], dtype=np.float64
)


@dataclass(frozen=True)
class Needs:
    """Arrays over the needs (J) of one chunk."""

    user_J: NDArray[np.int64]
    category_J: NDArray[np.int64]
    brand_J: NDArray[np.int64]
    """The brand in mind, -1 for none."""
    target_JD: Floats
    """The style needed; standard normal over needs."""
    log_budget_J: Floats
    start_J: NDArray[np.float64]
    end_J: NDArray[np.float64]
    """Hours at which it is given up if not satisfied."""

    def followed_by(self, later: Needs) -> Needs:
        """These needs, then `later` ones of the same users."""
        return Needs(*(np.concatenate([getattr(n, f.name) for n in (self, later)]) for f in fields(Needs)))


@dataclass(frozen=True)
class Plan:
    """Arrays over planned requests (Q), sorted by user, then time; `need_Q` is -1 for none."""

    user_Q: NDArray[np.int64]
    hours_Q: NDArray[np.float64]
    domain_Q: NDArray[np.int8]
    need_Q: NDArray[np.int64]

    def followed_by(self, later: Plan) -> Plan:
        """These requests, then `later` ones, each part in its own order."""
        return Plan(*(np.concatenate([getattr(p, f.name) for p in (self, later)]) for f in fields(Plan)))


def make_needs(
    config: MarketplaceConfig, catalog: Catalog, population: Population, span: Span, rng: np.random.Generator
) -> Needs:
    """Draw the needs of a chunk's users that arise in a span."""
    n, horizon = config.needs, config.days * DAY
    per_user = config.population.searches_per_user / (n.sessions_mean * n.searches_per_session)
    count_U = rng.poisson(population.activity_U * per_user * span.share)
    user_J = np.repeat(np.arange(population.users), count_U)
    size = len(user_J)

    day_J = np.floor(rng.uniform(span.begin, span.end, size) / DAY)
    start_J = day_J * DAY + _hour_of_day(size, rng)
    duration_J = n.duration_days * DAY * np.exp(n.duration_spread * rng.standard_normal(size))
    category_J = draw_category(population, user_J, rng)
    department_J = catalog.department_C[category_J]

    lasting_JD = population.taste_UGD[user_J, department_J]
    taste_JD = lasting_JD + population.drift_UD[user_J] * (start_J / horizon)[:, None]
    own_JD = rng.standard_normal(taste_JD.shape)
    target_JD = n.taste_weight * taste_JD + np.sqrt(1 - n.taste_weight**2) * own_JD

    item_J = _random_item_of(catalog, category_J, rng)
    brand_J = np.where(rng.random(size) < n.brand_share, catalog.brand_I[item_J], -1)
    log_budget_J = (
        catalog.log_price_C[category_J]
        + population.wealth_U[user_J]
        + n.budget_spread * rng.standard_normal(size)
    )
    return Needs(
        user_J=user_J,
        category_J=category_J,
        brand_J=brand_J.astype(np.int64),
        target_JD=target_JD.astype(np.float32),
        log_budget_J=log_budget_J.astype(np.float32),
        start_J=start_J,
        end_J=start_J + duration_J + 1.0,
    )


def make_plan(
    config: MarketplaceConfig, population: Population, needs: Needs, span: Span, rng: np.random.Generator
) -> Plan:
    """Plan the requests of a span: those of every need, and those made without one.

    The later sessions about a need come independently of the earlier ones, so what a need opened before the
    span still causes may be drawn anew.
    """
    n = config.needs
    session_need, session_hours = _sessions(config, needs, rng)
    searches = 1 + rng.poisson(n.searches_per_session - 1, len(session_need))
    shop = rng.random(len(session_need)) < n.shop_share
    feed = rng.random(len(session_need)) < n.feed_share
    session, place, hours = _spread(session_hours, searches + shop + feed, rng)
    domain = np.where(
        place < searches[session], SEARCH, np.where((place == searches[session]) & shop[session], SHOP, REC)
    )
    need = session_need[session]

    session_user = needs.user_J[session_need]
    browse_user, browse_hours = _browsing(config, population, session_user, session_hours, span, rng)
    pages = 1 + rng.poisson(n.pages_per_browse - 1, len(browse_user))
    visit, _, feed_hours = _spread(browse_hours, pages, rng)

    user = np.concatenate([needs.user_J[need], browse_user[visit]])
    hours = np.concatenate([hours, feed_hours])
    domain = np.concatenate([domain, np.full(len(visit), REC)]).astype(np.int8)
    need = np.concatenate([need, np.full(len(visit), -1)])
    within = np.flatnonzero((hours >= span.begin) & (hours < span.end))
    order = within[np.lexsort((hours[within], user[within]))]
    return Plan(user_Q=user[order], hours_Q=hours[order], domain_Q=domain[order], need_Q=need[order])


def draw_category(
    population: Population, user: NDArray[np.integer], rng: np.random.Generator
) -> NDArray[np.int64]:
    """One category a row, by the interest of the row's user."""
    draw = rng.random(len(user), dtype=np.float32)
    last = population.interest_UC.shape[1] - 1
    below = (population.interest_UC[user] < draw[:, None]).sum(axis=1, dtype=np.int64)
    return np.asarray(np.minimum(below, last), dtype=np.int64)


def _random_item_of(
    catalog: Catalog, category: NDArray[np.integer], rng: np.random.Generator
) -> NDArray[np.int64]:
    """A random item of each category (items are sorted by category); any item if the category is empty."""
    first = np.searchsorted(catalog.category_I, category, side="left")
    last = np.searchsorted(catalog.category_I, category, side="right")
    place = first + (rng.random(len(category)) * (last - first)).astype(np.int64)
    return np.minimum(place, catalog.items - 1)


def _sessions(
    config: MarketplaceConfig, needs: Needs, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Need and start of every session about a need; the later ones are denser early on."""
    count_J = 1 + rng.poisson(config.needs.sessions_mean - 1, len(needs.user_J))
    need = np.repeat(np.arange(len(count_J)), count_J)
    place = np.arange(len(need)) - np.repeat(np.cumsum(count_J) - count_J, count_J)
    span = needs.end_J[need] - needs.start_J[need]
    hours = needs.start_J[need] + np.where(place == 0, 0, span * rng.random(len(need)) ** 1.5)
    # A later day's session comes at that day's usual hours, as any other does.
    later_day = hours - needs.start_J[need] > DAY
    usual = np.floor(hours / DAY) * DAY + _hour_of_day(len(need), rng)
    return need, np.where(later_day, usual, hours)


def _browsing(
    config: MarketplaceConfig,
    population: Population,
    session_user: NDArray[np.int64],
    session_hours: NDArray[np.float64],
    span: Span,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """User and start of every feed visit without a present need."""
    n, users = config.needs, population.users
    mean = config.population.searches_per_user * n.browse_per_search / n.pages_per_browse
    any_user = np.repeat(np.arange(users), rng.poisson(population.activity_U * (mean * span.share) / 2))
    any_day = rng.integers(round(span.begin / DAY), round(span.end / DAY), len(any_user))
    any_hours = any_day * DAY + _hour_of_day(len(any_user), rng)
    near = np.flatnonzero(rng.random(len(session_user)) < mean / 2 / _sessions_per_user(config))
    near_hours = session_hours[near] + 0.2 + rng.exponential(8.0, len(near))
    return np.concatenate([any_user, session_user[near]]), np.concatenate([any_hours, near_hours])


def _sessions_per_user(config: MarketplaceConfig) -> float:
    return config.population.searches_per_user / config.needs.searches_per_session


def _spread(
    start: NDArray[np.float64], count: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Lay out `count` requests from each start on, about 100 seconds apart: session, place in it, hours."""
    session = np.repeat(np.arange(len(count)), count)
    first = np.repeat(np.cumsum(count) - count, count)
    place = np.arange(len(session)) - first
    gap = np.where(place == 0, 0.0, np.exp(0.8 * rng.standard_normal(len(session))) * 100 / 3600)
    passed = np.cumsum(gap)
    since = passed - passed[first] if len(first) else passed
    return session, place, start[session] + since


def _hour_of_day(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Hours after midnight, by the usual daily curve."""
    hour = rng.choice(24, size=size, p=_HOUR_WEIGHTS / _HOUR_WEIGHTS.sum())
    return hour + rng.random(size)
