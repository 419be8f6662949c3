"""What users remember and what the site remembers of them, as the walk goes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.catalog import Ints
from corank.logs.marketplace.retrieval import NO_ITEM, Query

ITEMS = 6
"""Clicked items a user remembers (the oldest gives way)."""
QUERIES = 2
"""Searches the feed's recall goes by."""


@dataclass
class Memory:
    """Mutable state of one chunk's users (U); -1 is empty."""

    item_UM: Ints
    noticed_UM: NDArray[np.int64]
    """The request at which the item was first clicked."""
    next_U: NDArray[np.int64]
    need_UQ: NDArray[np.int64]
    """Needs searched for lately, latest first."""
    query_UQF: NDArray[np.int64]
    """What was asked then: pool, category, brand, adjective (the fields of `Query`)."""

    @staticmethod
    def empty(users: int) -> Memory:
        """Nobody remembers anything."""
        return Memory(
            item_UM=np.full((users, ITEMS), NO_ITEM, dtype=np.int32),
            noticed_UM=np.full((users, ITEMS), -1, dtype=np.int64),
            next_U=np.zeros(users, dtype=np.int64),
            need_UQ=np.full((users, QUERIES), -1, dtype=np.int64),
            query_UQF=np.full((users, QUERIES, 4), -1, dtype=np.int64),
        )

    def seen(self, user_R: NDArray[np.int64], item_RW: Ints) -> NDArray[np.bool_]:
        """Whether the user remembers the item."""
        seen_RW = np.zeros(item_RW.shape, dtype=bool)
        for remembered_R in self.item_UM[user_R].T:
            seen_RW |= item_RW == remembered_R[:, None]
        return np.asarray(seen_RW & (item_RW != NO_ITEM), dtype=bool)

    def noticed(
        self, user_C: NDArray[np.int64], item_C: Ints, request_C: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The request at which each clicked item was noticed: the remembered one, or the click's own."""
        match_CM = self.item_UM[user_C] == item_C[:, None]
        remembered_C = self.noticed_UM[user_C, match_CM.argmax(axis=1)]
        return np.where(match_CM.any(axis=1), remembered_C, request_C)

    def remember(self, user_C: NDArray[np.int64], item_C: Ints, noticed_C: NDArray[np.int64]) -> None:
        """Store clicked items, grouped by user in the order of the clicks."""
        new_C = ~(self.item_UM[user_C] == item_C[:, None]).any(axis=1)
        user_C, item_C, noticed_C = user_C[new_C], item_C[new_C], noticed_C[new_C]
        first_C = np.r_[True, user_C[1:] != user_C[:-1]] if len(user_C) else np.zeros(0, dtype=bool)
        start_C = np.maximum.accumulate(np.where(first_C, np.arange(len(user_C)), 0))
        slot_C = (self.next_U[user_C] + np.arange(len(user_C)) - start_C) % ITEMS
        self.item_UM[user_C, slot_C] = item_C
        self.noticed_UM[user_C, slot_C] = noticed_C
        np.add.at(self.next_U, user_C, 1)

    def searched(self, user_R: NDArray[np.int64], need_R: NDArray[np.int64], query: Query) -> None:
        """Store a search of each user (a user once); one for the same need replaces its last one."""
        again_R = self.need_UQ[user_R, 0] == need_R
        moved = user_R[~again_R]
        self.need_UQ[moved, 1:] = self.need_UQ[moved, :-1]
        self.query_UQF[moved, 1:] = self.query_UQF[moved, :-1]
        self.need_UQ[user_R, 0] = need_R
        self.query_UQF[user_R, 0] = np.stack(
            [query.pool_R, query.category_R, query.brand_R, query.adjective_R], axis=1
        )
