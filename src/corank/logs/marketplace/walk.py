"""The closed loop of one chunk of users: round k serves the k-th planned request of every user.

A round sees what the earlier ones did: needs settled by purchases cause no more searches, clicked items are
remembered, and the feed recalls what was searched for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.behaviour import (
    Lists,
    Reaction,
    click_chance,
    examination,
    examination_exponent,
    react,
)
from corank.logs.marketplace.catalog import Ints
from corank.logs.marketplace.codes import CLICK, REC, SEARCH, SHOP
from corank.logs.marketplace.memory import Memory
from corank.logs.marketplace.needs import Plan
from corank.logs.marketplace.offers import Offer, Site, feed_offer, search_offer, shop_offer
from corank.logs.marketplace.outcomes import Events, Luck, follow, read_hours
from corank.logs.marketplace.record import Candidates, Record, Served, join
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


class Walk:
    """The walk of a chunk: its state, and what it has recorded. All of the plan is served when it is made."""

    def __init__(self, site: Site, plan: Plan, streams: Streams) -> None:
        self.site, self.plan, self.streams = site, plan, streams
        self.memory = Memory.empty(site.population.users)
        self.settled_hours_J = np.full(len(site.needs.user_J), np.inf)
        self.last_search_J = np.full(len(site.needs.user_J), -1, dtype=np.int64)
        self.served: list[Served] = []
        self.candidates: list[Candidates] = []
        self.events: list[Events] = [Events.none()]
        self._serve_from(0)

    def go_on(self, site: Site, later: Plan, streams: Streams) -> None:
        """Serve a plan of what comes later, from the state that the walk has come to.

        Args:
            site: as it is by then: the same users and items; needs may follow those there were.
            later: planned requests, all later than those served.
            streams: of what happens in them.
        """
        served, more = len(self.plan.user_Q), len(site.needs.user_J) - len(self.site.needs.user_J)
        self.settled_hours_J = np.append(self.settled_hours_J, np.full(more, np.inf))
        self.last_search_J = np.append(self.last_search_J, np.full(more, -1, dtype=np.int64))
        self.site, self.plan, self.streams = site, self.plan.followed_by(later), streams
        self._serve_from(served)

    def record(self) -> Record:
        """What has happened so far."""
        return Record(
            served=join(self.served, Served),
            candidates=join(self.candidates, Candidates),
            events=Events.concat(self.events),
            settled_hours_J=self.settled_hours_J,
        )

    def _serve_from(self, first: int) -> None:
        """Serve the plan from that request on, round by round."""
        count_U = np.bincount(self.plan.user_Q[first:], minlength=self.site.population.users)
        first_U = first + np.cumsum(count_U) - count_U
        busiest_U = np.argsort(-count_U, kind="stable")
        for turn in range(int(count_U.max())):
            active = np.sort(busiest_U[: np.count_nonzero(count_U > turn)])
            self._serve(first_U[active] + turn)

    def _serve(self, plan_R: NDArray[np.int64]) -> None:
        """Serve one planned request of each of several users."""
        need_R, domain_R = self.plan.need_Q[plan_R], self.plan.domain_Q[plan_R]
        over_R = (need_R >= 0) & (self.settled_hours_J[need_R] < self.plan.hours_Q[plan_R])
        need_R = np.where(over_R, -1, need_R)
        for domain in (SEARCH, REC, SHOP):
            # Without its need a search or a visit to a shop is not made; the feed is opened all the same.
            rows = (domain_R == domain) & ((need_R >= 0) | (domain == REC))
            if rows.any():
                self._offer(domain, plan_R[rows], need_R[rows])

    def _offer(self, domain: int, plan_R: NDArray[np.int64], need_R: NDArray[np.int64]) -> None:
        """Retrieve for requests of one domain; those for which nothing is for sale leave no trace."""
        site, rng = self.site, self.streams.retrieval
        user_R, hours_R = self.plan.user_Q[plan_R], self.plan.hours_Q[plan_R]
        if domain == SEARCH:
            offer = search_offer(site, need_R, hours_R, rng)
            self.last_search_J[need_R] = plan_R
            self.memory.searched(user_R, need_R, offer.query)
        elif domain == SHOP:
            offer = shop_offer(site, self.memory, user_R, need_R, hours_R, rng)
        else:
            offer = feed_offer(site, self.memory, user_R, hours_R, rng)
        full_R = (offer.item_RW != NO_ITEM).any(axis=1)
        self._show(domain, plan_R[full_R], need_R[full_R], offer.take(full_R))

    def _show(self, domain: int, plan_R: NDArray[np.int64], need_R: NDArray[np.int64], offer: Offer) -> None:
        """Rank, expose, let users react, and record it all."""
        site, config, item_RW = self.site, self.site.config, offer.item_RW
        user_R, hours_R = self.plan.user_Q[plan_R], self.plan.hours_Q[plan_R]
        guess_RGD = site.population.guess_UGD[user_R]
        position_RW = rank(
            config.retrieval, site.catalog, guess_RGD, item_RW, offer.score_RW, self.streams.ranker
        )
        lists = self._lists(domain, user_R, need_R, hours_R, item_RW)
        reaction = react(config, site.catalog, site.population, site.needs, lists, domain == SEARCH)
        exponent_R = examination_exponent(config, site.population, domain, user_R, hours_R)
        looked_RW = examination(position_RW, exponent_R[:, None])
        chance_RW = click_chance(position_RW, exponent_R[:, None], reaction.would_click_RW)
        clicked_RW = self.streams.behaviour.random(chance_RW.shape, dtype=np.float32) < chance_RW

        real_RW, query = item_RW != NO_ITEM, offer.query
        self.served.append(
            Served(
                plan_R=plan_R,
                need_R=need_R,
                category_R=query.category_R,
                brand_R=query.brand_R,
                adjective_R=query.adjective_R,
                exponent_R=exponent_R,
                count_R=real_RW.sum(axis=1),
            )
        )
        self.candidates.append(
            Candidates(
                item_A=item_RW[real_RW],
                position_A=position_RW[real_RW],
                score_A=offer.score_RW[real_RW],
                price_A=lists.price_RW[real_RW],
                examination_A=looked_RW[real_RW],
                utility_A=reaction.utility_RW[real_RW],
                relevance_A=reaction.relevance_RW[real_RW],
                would_click_A=reaction.would_click_RW[real_RW],
                would_buy_A=reaction.would_buy_RW[real_RW],
            )
        )
        self._click(domain, plan_R, clicked_RW, position_RW, item_RW, reaction)

    def _lists(
        self,
        domain: int,
        user_R: NDArray[np.int64],
        need_R: NDArray[np.int64],
        hours_R: NDArray[np.float64],
        item_RW: Ints,
    ) -> Lists:
        """What users see, and have in mind as they see it."""
        need_RK = need_R[:, None]
        if domain == REC:  # besides the present need, those searched for lately unless long given up
            recent_RQ = self.memory.need_UQ[user_R]
            given_up_RQ = self.site.needs.end_J[recent_RQ] + GRACE_HOURS < hours_R[:, None]
            recent_RQ = np.where(given_up_RQ | (recent_RQ == need_RK), -1, recent_RQ)
            need_RK = np.concatenate([need_RK, recent_RQ], axis=1)
        rng = self.streams.behaviour
        mood_R = np.float32(self.site.config.behaviour.mood_spread) * rng.standard_normal(
            len(user_R), dtype=np.float32
        )
        return Lists(
            user_R=user_R,
            hours_R=hours_R,
            need_RK=need_RK,
            settled_RK=np.isfinite(self.settled_hours_J[need_RK]),
            mood_R=mood_R,
            item_RW=item_RW,
            price_RW=self.site.catalog.price(item_RW, hours_R[:, None]),
            seen_RW=self.memory.seen(user_R, item_RW),
        )

    def _click(
        self,
        domain: int,
        plan_R: NDArray[np.int64],
        clicked_RW: NDArray[np.bool_],
        position_RW: NDArray[np.int8],
        item_RW: Ints,
        reaction: Reaction,
    ) -> None:
        """Record clicks, down each list, and what follows them."""
        row, column = np.nonzero(clicked_RW)
        order = np.lexsort((position_RW[row, column], row))
        row, column = row[order], column[order]
        request_C, item_C, need_C = plan_R[row], item_RW[row, column], reaction.need_RW[row, column]
        user_C = self.plan.user_Q[request_C]
        noticed_C = self.memory.noticed(user_C, item_C, request_C)
        rng, size = self.streams.outcomes, len(row)
        read_C = read_hours(position_RW[row, column], rng.random(size))
        clicks = Events(
            user_E=user_C,
            item_E=item_C,
            hours_E=self.plan.hours_Q[request_C] + read_C,
            action_E=np.full(size, CLICK, dtype=np.int8),
            domain_E=np.full(size, domain, dtype=np.int8),
            request_E=request_C,
            value_E=np.full(size, np.nan, dtype=np.float32),
            need_E=need_C,
            noticed_E=noticed_C,
            search_E=np.where(need_C >= 0, self.last_search_J[need_C], -1),
        )
        behaviour, would_buy_C = self.site.config.behaviour, reaction.would_buy_RW[row, column]
        luck = Luck.draw(behaviour, size, rng)
        self.events += follow(behaviour, self.site.catalog, clicks, would_buy_C, self.settled_hours_J, luck)
        self.memory.remember(user_C, item_C, noticed_C)
