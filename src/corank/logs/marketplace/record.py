"""What one chunk's walk records."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.catalog import Floats, Ints
from corank.logs.marketplace.outcomes import Events


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

    def take(self, order_R: NDArray[np.int64]) -> Served:
        """The requests at indices."""
        return Served(*(getattr(self, field.name)[order_R] for field in fields(self)))


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
class Record:
    """What happened to one chunk of users; `settled_hours_J` is infinite for needs never settled."""

    served: Served
    candidates: Candidates
    events: Events
    settled_hours_J: NDArray[np.float64]


_Parts = TypeVar("_Parts", Served, Candidates)


def join(parts: list[_Parts], kind: type[_Parts]) -> _Parts:
    """All parts as one, in order."""
    return kind(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(kind)))
