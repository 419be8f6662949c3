"""The closed loop of one chunk of users: round k serves the k-th planned request of every user.

A round sees what the earlier ones did: needs settled by purchases cause no more searches, clicked items are remembered,
and the feed recalls what was searched for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.behaviour import DEVICE_EXAMINATION, Lists, examination, react
from corank.logs.marketplace.catalog import DAY, Floats, Ints
from corank.logs.marketplace.memory import QUERIES, Memory
from corank.logs.marketplace.needs import REC, SEARCH, SHOP, Plan
from corank.logs.marketplace.offers import Offer, Site, feed_offer, search_offer, shop_offer
from corank.logs.marketplace.outcomes import CLICK, SECOND, Events, follow
from corank.logs.marketplace.retrieval import NO_ITEM, rank

GRACE_HOURS = 12.0
"""A searched need still shapes what a user takes from the feed this long after it was given up."""


@dataclass(frozen=True)
class Streams:
    """Independent random streams of the stages of one chunk."""

    retrieval: np.random.Generator
    ranker: np.random.Generator
    behaviour: np.random.Generator
    outcomes: np.random.Generator


@dataclass(frozen=True)
class Served:
    """Requests (R) as served; `plan_R` indexes the plan. Category, brand and adjective as in `Query`."""

    plan_R: NDArray[np.int64]
    need_R: NDArray[np.int64]
    category_R: NDArray[np.int64]
    brand_R: NDArray[np.int64]
    adjective_R: NDArray[np.int64]
    exponent_R: Floats
    count_R: NDArray[np.int64]
    """Candidates of the request."""


@dataclass(frozen=True)
class Candidates:
    """Candidates (A) of all requests served, request after request."""

    item_A: Ints
    position_A: NDArray[np.int8]
    score_A: Floats
    price_A: Floats
    examination_A: Floats
    utility_A: Floats
    relevance_A: Floats
    would_click_A: Floats
    would_buy_A: Floats


@dataclass(frozen=True)
class Behaviour:
    """What happened to one chunk of users."""

    served: Served
    candidates: Candidates
    events: Events
    settled_hours_J: NDArray[np.float64]


def walk(site: Site, plan: Plan, streams: Streams) -> Behaviour:
    """Serve the whole plan of a chunk."""
    walker = _Walker(site, plan, streams)
    count_U = np.bincount(plan.user_Q, minlength=site.population.users)
    first_U = np.cumsum(count_U) - count_U
    busiest_U = np.argsort(-count_U, kind="stable")
    for turn in range(int(count_U.max())):
        active = np.sort(busiest_U[: np.count_nonzero(count_U > turn)])
        walker.serve(first_U[active] + turn)
    return Behaviour(
        served=_join(walker.served, Served),
        candidates=_join(walker.candidates, Candidates),
        events=Events.concat(walker.events),
        settled_hours_J=walker.settled_hours_J,
    )


class _Walker:
    """State of the walk and what it has recorded."""

    def __init__(self, site: Site, plan: Plan, streams: Streams) -> None:
        self.site, self.plan, self.streams = site, plan, streams
        self.memory = Memory.empty(site.population.users)
        self.settled_hours_J = np.full(len(site.needs.user_J), np.inf)
        self.last_search_J = np.full(len(site.needs.user_J), -1, dtype=np.int64)
        self.served: list[Served] = []
        self.candidates: list[Candidates] = []
        self.events: list[Events] = []
        b = site.config.behaviour
        self.exponents = {
            SEARCH: b.examination_search,
            REC: b.examination_feed,
            SHOP: b.examination_shop,
        }

    def serve(self, plan_R: NDArray[np.int64]) -> None:
        """Serve one planned request of each of several users."""
        need_R, domain_R = self.plan.need_Q[plan_R], self.plan.domain_Q[plan_R]
        over_R = (need_R >= 0) & (self.settled_hours_J[need_R] < self.plan.hours_Q[plan_R])
        for domain in (SEARCH, REC, SHOP):
            rows = (domain_R == domain) & ~(over_R & (domain != REC))
            if rows.any():
                self._serve(domain, plan_R[rows], np.where(over_R[rows], -1, need_R[rows]))

    def _serve(self, domain: int, plan_R: NDArray[np.int64], need_R: NDArray[np.int64]) -> None:
        site, rng = self.site, self.streams.behaviour
        user_R, hours_R = self.plan.user_Q[plan_R], self.plan.hours_Q[plan_R]
        offer = self._offer(domain, user_R, need_R, hours_R)
        guess_RGD = site.population.guess_UGD[user_R]
        position_RW = rank(
            site.config.retrieval, site.catalog, guess_RGD, offer.item_RW, offer.score_RW, self.streams.ranker
        )
        need_RK = need_R[:, None] if domain != REC else self._needs_in_feed(user_R, need_R, hours_R)
        mood_R = site.config.behaviour.mood_spread * rng.standard_normal(len(user_R), dtype=np.float32)
        lists = Lists(
            user_R=user_R,
            hours_R=hours_R,
            need_RK=need_RK,
            settled_RK=np.isfinite(self.settled_hours_J[need_RK]),
            mood_R=mood_R.astype(np.float32),
            item_RW=offer.item_RW,
            price_RW=site.catalog.price(offer.item_RW, hours_R[:, None]),
            seen_RW=self.memory.seen(user_R, offer.item_RW),
        )
        reaction = react(site.config, site.catalog, site.population, site.needs, lists, domain == SEARCH)
        exponent_R = self._exponent(domain, user_R, hours_R)
        looked_RW = examination(position_RW, exponent_R[:, None])
        clicked_RW = rng.random(looked_RW.shape, dtype=np.float32) < looked_RW * reaction.would_click_RW
        if domain == SEARCH:
            self.last_search_J[need_R] = plan_R
            self.memory.searched(user_R, need_R, offer.query)

        real_RW = offer.item_RW != NO_ITEM
        query = offer.query
        self.served.append(
            Served(
                plan_R,
                need_R,
                query.category_R,
                query.brand_R,
                query.adjective_R,
                exponent_R,
                real_RW.sum(axis=1),
            )
        )
        self.candidates.append(
            Candidates(
                offer.item_RW[real_RW],
                position_RW[real_RW],
                offer.score_RW[real_RW],
                lists.price_RW[real_RW],
                looked_RW[real_RW],
                reaction.utility_RW[real_RW],
                reaction.relevance_RW[real_RW],
                reaction.would_click_RW[real_RW],
                reaction.would_buy_RW[real_RW],
            )
        )
        row, column = np.nonzero(clicked_RW)
        if len(row):
            self._click(
                domain,
                plan_R[row],
                offer.item_RW[row, column],
                position_RW[row, column],
                reaction.need_RW[row, column],
                reaction.would_buy_RW[row, column],
            )

    def _offer(
        self, domain: int, user_R: NDArray[np.int64], need_R: NDArray[np.int64], hours_R: NDArray[np.float64]
    ) -> Offer:
        rng = self.streams.retrieval
        if domain == SEARCH:
            return search_offer(self.site, need_R, hours_R, rng)
        if domain == SHOP:
            return shop_offer(self.site, self.memory, user_R, need_R, hours_R, rng)
        return feed_offer(self.site, self.memory, user_R, hours_R, rng)

    def _needs_in_feed(
        self, user_R: NDArray[np.int64], need_R: NDArray[np.int64], hours_R: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """The present need, and those searched for lately unless long given up."""
        recent_RQ = self.memory.need_UQ[user_R]
        given_up_RQ = self.site.needs.end_J[recent_RQ] + GRACE_HOURS < hours_R[:, None]
        recent_RQ = np.where(given_up_RQ | (recent_RQ == need_R[:, None]), -1, recent_RQ)
        return np.concatenate([need_R[:, None], recent_RQ[:, :QUERIES]], axis=1)

    def _exponent(self, domain: int, user_R: NDArray[np.int64], hours_R: NDArray[np.float64]) -> Floats:
        people = self.site.population
        device_R = people.device_UT[user_R, (hours_R / DAY).astype(np.int64)]
        exponent_R = self.exponents[domain] * DEVICE_EXAMINATION[device_R] * people.patience_U[user_R]
        return exponent_R.astype(np.float32)

    def _click(
        self,
        domain: int,
        request_C: NDArray[np.int64],
        item_C: Ints,
        position_C: NDArray[np.int8],
        need_C: NDArray[np.int64],
        would_buy_C: Floats,
    ) -> None:
        """Record clicks and what follows them."""
        order = np.lexsort((position_C, request_C))
        request_C, item_C, position_C = request_C[order], item_C[order], position_C[order]
        need_C, would_buy_C = need_C[order], would_buy_C[order]
        user_C = self.plan.user_Q[request_C]
        noticed_C = self.memory.noticed(user_C, item_C, request_C)
        reading = SECOND * (2 + 5 * (position_C - 1 + self.streams.outcomes.random(len(order))))
        clicks = Events(
            user_E=user_C,
            item_E=item_C,
            hours_E=self.plan.hours_Q[request_C] + reading,
            action_E=np.full(len(order), CLICK, dtype=np.int8),
            domain_E=np.full(len(order), domain, dtype=np.int8),
            request_E=request_C,
            value_E=np.full(len(order), np.nan, dtype=np.float32),
            need_E=need_C,
            noticed_E=noticed_C,
            search_E=np.where(need_C >= 0, self.last_search_J[need_C], -1),
        )
        site = self.site
        self.events.extend(
            follow(
                site.config.behaviour,
                site.catalog,
                clicks,
                would_buy_C,
                self.settled_hours_J,
                self.streams.outcomes,
            )
        )
        self.memory.remember(user_C, item_C, noticed_C)


_Parts = TypeVar("_Parts", Served, Candidates)


def _join(parts: list[_Parts], kind: type[_Parts]) -> _Parts:
    return kind(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(kind)))
