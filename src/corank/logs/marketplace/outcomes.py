"""What follows clicks: carts, purchases now or later, direct returns to the item."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.catalog import Catalog, Floats
from corank.logs.marketplace.codes import CART, CLICK, DIRECT, PURCHASE
from corank.logs.marketplace.config import BehaviourConfig

SECOND = 1 / 3600
READ_SECONDS, ITEM_SECONDS = 2, 5
"""Until the first item is read, and for each item down the list, at most."""
FLOW_SECONDS = (120, 720)
"""From a click to a purchase in the flow of the request, uniform."""
LATER_HOURS = 0.3
"""From a click to a later purchase or return, at least; an exponential time comes on top."""


@dataclass(frozen=True)
class Events:
    """Columns of events (E); -1 is null. Requests and needs are indices within the chunk."""

    user_E: NDArray[np.int64]
    item_E: NDArray[np.int32]
    hours_E: NDArray[np.float64]
    action_E: NDArray[np.int8]
    domain_E: NDArray[np.int8]
    request_E: NDArray[np.int64]
    value_E: Floats
    """Money paid; NaN where nothing is."""
    need_E: NDArray[np.int64]
    noticed_E: NDArray[np.int64]
    """The request at which the item was noticed (first remembered click, or the event's own)."""
    search_E: NDArray[np.int64]
    """The latest search request of the same need."""

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Events:
        """The events at a mask or at indices."""
        return Events(*(getattr(self, field.name)[which] for field in fields(self)))

    @staticmethod
    def none() -> Events:
        """No events."""
        whole, small = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int8)
        return Events(
            user_E=whole,
            item_E=np.zeros(0, dtype=np.int32),
            hours_E=np.zeros(0),
            action_E=small,
            domain_E=small,
            request_E=whole,
            value_E=np.zeros(0, dtype=np.float32),
            need_E=whole,
            noticed_E=whole,
            search_E=whole,
        )

    @staticmethod
    def concat(parts: list[Events]) -> Events:
        """All events of the parts, in order."""
        return Events(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Events)))


@dataclass(frozen=True)
class Luck:
    """What chance adds to clicks (E): uniform numbers in [0, 1) decide, the others are times."""

    buy_E: NDArray[np.float64]
    now_E: NDArray[np.float64]
    flow_seconds_E: NDArray[np.float64]
    later_hours_E: NDArray[np.float64]
    cart_E: NDArray[np.float64]
    cart_seconds_E: NDArray[np.float64]
    return_E: NDArray[np.float64]
    return_seconds_E: NDArray[np.float64]

    @staticmethod
    def draw(behaviour: BehaviourConfig, size: int, rng: np.random.Generator) -> Luck:
        """Independent luck of `size` clicks."""
        # The order of the draws is part of what a seed means.
        now_E = rng.random(size)
        later_hours_E = rng.exponential(behaviour.later_hours, size)
        flow_seconds_E = rng.uniform(*FLOW_SECONDS, size)
        buy_E, cart_E = rng.random(size), rng.random(size)
        cart_seconds_E = rng.uniform(15, 110, size)
        return_E = rng.random(size)
        return Luck(
            buy_E=buy_E,
            now_E=now_E,
            flow_seconds_E=flow_seconds_E,
            later_hours_E=later_hours_E,
            cart_E=cart_E,
            cart_seconds_E=cart_seconds_E,
            return_E=return_E,
            return_seconds_E=rng.uniform(30, 600, size),
        )

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Luck:
        """The luck of some of the clicks."""
        return Luck(*(getattr(self, field.name)[which] for field in fields(self)))


def read_hours(position: NDArray[np.integer], luck: NDArray[np.floating]) -> NDArray[np.float64]:
    """Hours from a request to a click at a position (from 1); `luck` is uniform in [0, 1)."""
    return np.asarray(SECOND * (READ_SECONDS + ITEM_SECONDS * (position - 1 + luck)), dtype=np.float64)


def follow(
    behaviour: BehaviourConfig,
    catalog: Catalog,
    clicks: Events,
    would_buy_E: Floats,
    settled_hours_J: NDArray[np.float64],
    luck: Luck,
) -> list[Events]:
    """Events that follow `clicks` (sorted by time within a need), the clicks included.

    A need is settled by at most one purchase: `settled_hours_J` (infinite while open) is updated in place.
    Purchases of an item no longer for sale by then do not happen.
    """
    death_E = catalog.death_I[clicks.item_E]
    now_E = luck.now_E < behaviour.buy_now_share
    later_E = clicks.hours_E + LATER_HOURS + luck.later_hours_E
    buy_hours_E = np.where(now_E, clicks.hours_E + luck.flow_seconds_E * SECOND, later_E)
    buys_E = (luck.buy_E < would_buy_E) & (buy_hours_E < death_E)
    buys_E &= _first_of_need(buys_E, clicks.need_E)
    settles_E = buys_E & (clicks.need_E >= 0)
    settled_hours_J[clicks.need_E[settles_E]] = buy_hours_E[settles_E]

    carts_E = luck.cart_E < np.where(buys_E, behaviour.cart_share, behaviour.cart_only)
    cart_hours_E = clicks.hours_E + luck.cart_seconds_E * SECOND
    returns_E = (luck.return_E < np.where(buys_E, 0.4, behaviour.direct_return)) & ~(buys_E & now_E)
    return_hours_E = np.where(buys_E, buy_hours_E - luck.return_seconds_E * SECOND, later_E)
    returns_E &= return_hours_E < death_E
    paid_E = catalog.price(clicks.item_E, buy_hours_E)
    return [
        clicks,
        _move(clicks, cart_hours_E, CART).take(carts_E),
        _direct(_move(clicks, return_hours_E, CLICK)).take(returns_E),
        _move(clicks, buy_hours_E, PURCHASE, paid_E).take(buys_E & now_E),
        _direct(_move(clicks, buy_hours_E, PURCHASE, paid_E)).take(buys_E & ~now_E),
    ]


def _first_of_need(wanted_E: NDArray[np.bool_], need_E: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether an event is the first wanted one of its need; events without a need all are."""
    first_E = need_E < 0
    rows = np.flatnonzero(wanted_E & ~first_E)
    first_E[rows[np.unique(need_E[rows], return_index=True)[1]]] = True
    return first_E


def _move(events: Events, hours_E: NDArray[np.float64], action: int, value_E: Floats | None = None) -> Events:
    """The same events at another time as another action."""
    nothing_E = np.full_like(events.value_E, np.nan)
    return replace(
        events,
        hours_E=hours_E,
        action_E=np.full_like(events.action_E, action),
        value_E=nothing_E if value_E is None else value_E,
    )


def _direct(events: Events) -> Events:
    """The same events without a request."""
    return replace(
        events,
        domain_E=np.full_like(events.domain_E, DIRECT),
        request_E=np.full_like(events.request_E, -1),
    )
