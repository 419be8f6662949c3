"""How long after a request what was clicked is bought: the distribution of what `outcomes` draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.config import BehaviourConfig
from corank.logs.marketplace.outcomes import FLOW_SECONDS, ITEM_SECONDS, LATER_HOURS, READ_SECONDS, SECOND

Doubles = NDArray[np.float64]


def bought_within(behaviour: BehaviourConfig, position: NDArray[np.number], hours: Doubles) -> Doubles:
    """The chance that an item bought after a click at a position is bought before so many hours have passed.

    Reading down to the item takes `READ_SECONDS + ITEM_SECONDS (position - 1 + u)` with u uniform in [0, 1];
    then comes a uniform time in the flow of the request, or later one of `LATER_HOURS` and an exponential.
    The arrays broadcast together; `hours` may be infinite.
    """
    read = READ_SECONDS + ITEM_SECONDS * (np.asarray(position, dtype=np.float64) - 1)
    finite = np.isfinite(hours)
    left = np.where(finite, hours, 0.0)
    shortest, longest = FLOW_SECONDS
    now = _uniform_sum(left / SECOND - read - shortest, ITEM_SECONDS, longest - shortest)
    later = _uniform_and_exponential(
        left - LATER_HOURS - read * SECOND, ITEM_SECONDS * SECOND, behaviour.later_hours
    )
    share = behaviour.buy_now_share
    return np.where(finite, share * now + (1 - share) * later, 1.0)


def _uniform_sum(x: Doubles, a: float, b: float) -> Doubles:
    """P(U + V <= x) for U uniform in [0, a] and V uniform in [0, b]."""
    areas = (np.maximum(x - corner, 0.0) ** 2 for corner in (0.0, a, b, a + b))
    none, one, other, both = areas
    inside = (none - one - other + both) / (2 * a * b)
    return np.where(x >= a + b, 1.0, inside)


def _uniform_and_exponential(x: Doubles, a: float, mean: float) -> Doubles:
    """P(U + E <= x) for U uniform in [0, a] and E exponential with that mean."""

    def area(y: Doubles) -> Doubles:
        """The integral of P(E <= z) over z from 0 to y."""
        y = np.maximum(y, 0.0)
        return y + mean * np.expm1(-y / mean)

    return np.clip((area(x) - area(x - a)) / a, 0.0, 1.0)
