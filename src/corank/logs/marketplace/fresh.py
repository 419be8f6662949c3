"""Searches made after a log's end, with what their users make of every candidate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.catalog import Catalog, Floats, Ints
from corank.logs.marketplace.config import MarketplaceConfig


@dataclass(frozen=True)
class Fresh:
    """Search requests made after a log's end (R), in the order of their ids, and their candidates (A)."""

    config: MarketplaceConfig
    catalog: Catalog
    """With the prices of the days after the log's end."""
    request_id_R: NDArray[np.int64]
    user_id_R: NDArray[np.int64]
    hours_R: NDArray[np.float64]
    exponent_R: Floats
    begin_R: NDArray[np.int64]
    """Where each request's candidates begin, then their number: one more than requests."""
    item_A: Ints
    position_A: NDArray[np.int8]
    """As the site's own ranker showed them: from 1, 0 for those not shown."""
    would_click_A: Floats
    would_buy_A: Floats

    @property
    def requests(self) -> int:
        """Number of requests."""
        return len(self.request_id_R)

    @property
    def request_A(self) -> NDArray[np.int64]:
        """The request of each candidate, from 0."""
        return np.repeat(np.arange(self.requests), np.diff(self.begin_R))

    def take(self, which_R: NDArray[np.bool_]) -> Fresh:
        """Some of the requests alone."""
        which_A = np.repeat(which_R, np.diff(self.begin_R))
        return replace(
            self,
            request_id_R=self.request_id_R[which_R],
            user_id_R=self.user_id_R[which_R],
            hours_R=self.hours_R[which_R],
            exponent_R=self.exponent_R[which_R],
            begin_R=np.append(0, np.cumsum(np.diff(self.begin_R)[which_R])),
            item_A=self.item_A[which_A],
            position_A=self.position_A[which_A],
            would_click_A=self.would_click_A[which_A],
            would_buy_A=self.would_buy_A[which_A],
        )


def joined(parts: list[Fresh]) -> Fresh:
    """The requests of all chunks."""
    counts = np.concatenate([np.diff(part.begin_R) for part in parts])
    return Fresh(
        config=parts[0].config,
        catalog=parts[0].catalog,
        request_id_R=np.concatenate([part.request_id_R for part in parts]),
        user_id_R=np.concatenate([part.user_id_R for part in parts]),
        hours_R=np.concatenate([part.hours_R for part in parts]),
        exponent_R=np.concatenate([part.exponent_R for part in parts]),
        begin_R=np.append(0, np.cumsum(counts)),
        item_A=np.concatenate([part.item_A for part in parts]),
        position_A=np.concatenate([part.position_A for part in parts]),
        would_click_A=np.concatenate([part.would_click_A for part in parts]),
        would_buy_A=np.concatenate([part.would_buy_A for part in parts]),
    )
