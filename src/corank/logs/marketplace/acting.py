"""Users act on search results in any order: on average, exactly, or as chance has it.

One step: what a request leads to by itself, the purchases decided on after a click of it included, however
much later they are made. That clicked items are met again in later requests is not followed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.behaviour import click_chance
from corank.logs.marketplace.catalog import DAY
from corank.logs.marketplace.codes import CLICK, PURCHASE
from corank.logs.marketplace.delays import bought_within
from corank.logs.marketplace.fresh import Fresh
from corank.logs.marketplace.outcomes import Events, Luck, follow, read_hours

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What each request (R) led to: clicks on its list, purchases that follow them, money paid for these."""

    clicks_R: Doubles
    purchases_R: Doubles
    money_R: Doubles


@dataclass(frozen=True)
class ListLuck:
    """What chance adds to each candidate (A), wherever it is shown: the same for every order of a list."""

    click_A: NDArray[np.float32]
    read_A: Doubles
    after: Luck


def draw_luck(fresh: Fresh, rng: np.random.Generator) -> ListLuck:
    """Independent luck of all candidates."""
    size = len(fresh.item_A)
    click_A, read_A = rng.random(size, dtype=np.float32), rng.random(size)
    return ListLuck(click_A, read_A, Luck.draw(fresh.config.behaviour, size, rng))


def positions(fresh: Fresh, score_A: NDArray[np.floating], tie_A: Doubles) -> NDArray[np.int8]:
    """Where each candidate is shown if the lists are ordered by falling score; 0 where it is not.

    As many are shown as the site's own ranker shows. Equal scores are ordered by `tie_A`.
    """
    order_A = np.lexsort((tie_A, -score_A.astype(np.float64), fresh.request_A))
    place_A = np.empty(len(order_A), dtype=np.int64)
    place_A[order_A] = np.arange(len(order_A)) - np.repeat(fresh.begin_R[:-1], np.diff(fresh.begin_R))
    return np.where(place_A < fresh.config.retrieval.exposed, place_A + 1, 0).astype(np.int8)


def worth(fresh: Fresh) -> Doubles:
    """The chance that each candidate is bought, were it at the first position: the oracle's score.

    Ordering by it brings the most purchases that any order can: of the chances `e_k w` that position k and
    item w make together, 1 - prod(1 - e_k w) is largest where the largest meet.
    """
    behaviour, first = fresh.config.behaviour, np.ones(len(fresh.item_A))
    left_A = fresh.catalog.death_I[fresh.item_A] - fresh.hours_R[fresh.request_A]
    sold_A = bought_within(behaviour, first, left_A.astype(np.float64))
    return np.asarray(fresh.would_click_A.astype(np.float64) * fresh.would_buy_A * sold_A, dtype=np.float64)


def expected(fresh: Fresh, position_A: NDArray[np.int8]) -> Outcome:
    """What each request leads to on average over all luck, if its candidates are shown at those positions.

    Exact: a list's clicks are independent, and so are the decisions to buy, of which the first down the list
    is the one that counts, since it settles the need.
    """
    behaviour, catalog, shown = fresh.config.behaviour, fresh.catalog, fresh.config.retrieval.exposed
    # [R, K]: the candidate at each position, any where the list is shorter.
    at_RK = np.full((fresh.requests, shown), -1)
    places = np.flatnonzero(position_A)
    at_RK[fresh.request_A[places], position_A[places] - 1] = places
    place_RK = np.where(at_RK < 0, 0, np.arange(1, shown + 1))
    item_RK, hours_R1 = fresh.item_A[at_RK], fresh.hours_R[:, None]
    click_RK = click_chance(place_RK, fresh.exponent_R[:, None], fresh.would_click_A[at_RK]).astype(
        np.float64
    )
    decide_RK = click_RK * fresh.would_buy_A[at_RK]

    left_RK = (catalog.death_I[item_RK] - hours_R1).astype(np.float64)
    buy_RK = decide_RK * bought_within(behaviour, place_RK, left_RK)
    none_RK = np.cumprod(1 - buy_RK, axis=1)
    before_RK = np.concatenate([np.ones((fresh.requests, 1)), none_RK[:, :-1]], axis=1)

    paid_RK = np.zeros(at_RK.shape)  # the price of each day, times the chance to buy on that day
    last = catalog.discount_IT.shape[1] - 1
    day_R1 = np.minimum((hours_R1 // DAY).astype(np.int64), last)
    passed_RK = np.zeros(at_RK.shape)
    for lag in range(last - int(day_R1.min(initial=last)) + 1):
        end_R1 = np.where(day_R1 + lag < last, (day_R1 + lag + 1) * DAY - hours_R1, np.inf)
        by_RK = bought_within(behaviour, place_RK, np.minimum(end_R1, left_RK))
        price_RK = catalog.price(item_RK, np.minimum(day_R1 + lag, last) * DAY)
        paid_RK += price_RK * (by_RK - passed_RK)
        passed_RK = by_RK
    return Outcome(
        clicks_R=click_RK.sum(axis=1),
        purchases_R=1 - none_RK[:, -1],
        money_R=(before_RK * decide_RK * paid_RK).sum(axis=1),
    )


def acted(fresh: Fresh, position_A: NDArray[np.int8], luck: ListLuck) -> Outcome:
    """What each request leads to as that luck has it, by the simulator's own steps."""
    request_A = fresh.request_A
    chance_A = click_chance(position_A, fresh.exponent_R[request_A], fresh.would_click_A)
    rows = np.flatnonzero(luck.click_A < chance_A)
    rows = rows[np.lexsort((position_A[rows], request_A[rows]))]
    request_C, nothing_C = request_A[rows], np.full(len(rows), -1)
    clicks = Events(
        user_E=fresh.user_id_R[request_C],
        item_E=fresh.item_A[rows],
        hours_E=fresh.hours_R[request_C] + read_hours(position_A[rows], luck.read_A[rows]),
        action_E=np.full(len(rows), CLICK, dtype=np.int8),
        domain_E=np.zeros(len(rows), dtype=np.int8),
        request_E=request_C,
        value_E=np.full(len(rows), np.nan, dtype=np.float32),
        need_E=request_C,  # one need a request: what another request settles is another step
        noticed_E=nothing_C,
        search_E=nothing_C,
    )
    settled_R = np.full(fresh.requests, np.inf)
    events = follow(
        fresh.config.behaviour,
        fresh.catalog,
        clicks,
        fresh.would_buy_A[rows],
        settled_R,
        luck.after.take(rows),
    )
    bought = Events.concat(events)
    bought = bought.take(bought.action_E == PURCHASE)

    def by_request(request_E: NDArray[np.int64], value_E: NDArray[np.floating] | None = None) -> Doubles:
        return np.bincount(request_E, value_E, fresh.requests).astype(np.float64)

    return Outcome(
        clicks_R=by_request(request_C),
        purchases_R=by_request(bought.need_E),
        money_R=by_request(bought.need_E, bought.value_E),
    )
