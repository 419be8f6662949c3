"""Finding a request of a split by its id, and items of it, as they are written in text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corank.errors import CorankError, unknown
from corank.features.store import RowGroup, Store
from corank.features.transforms import plain

_NEAR = 500
"""So many ids before and after the place where an unknown one would stand are looked at for the nearest."""


@dataclass(frozen=True)
class Listed:
    """A request as it lies in the store.

    Attributes:
        group, row: where.
        request_id: as text.
        items: ids of its items, as text, in the order of the store.
        exposed, clicked: of each item.
    """

    group: RowGroup
    row: int
    request_id: str
    items: list[str]
    exposed: npt.NDArray[np.bool_]
    clicked: npt.NDArray[np.bool_]

    def places(self, items: Sequence[str]) -> list[int]:
        """Where these items stand in the list.

        Raises:
            CorankError: one is not in it.
        """
        for item in items:
            if item not in self.items:
                raise unknown("item", item, self.items, f"the list of request {self.request_id}")
        return [self.items.index(item) for item in items]


def find_request(store: Store, split: str, request_id: str) -> Listed:
    """The request of this id.

    Raises:
        CorankError: the split has none, or it lists nothing.
    """
    groups = store.row_groups(split)
    ids = []
    for group in groups:
        column = pc.cast(plain(group.read(["request_id"])["request_id"]), pa.string())
        row = pc.index(column, request_id).as_py()
        if row >= 0:
            return _listed(group, row, request_id)
        ids.append(column)
    raise unknown("request", request_id, _near(pa.chunked_array(ids), request_id), f"{store.folder / split}")


def _listed(group: RowGroup, row: int, request_id: str) -> Listed:
    lists = group.read(["item_id", "exposed", "label_click"]).slice(row, 1)
    items, exposed, clicks = (plain(lists[name]).flatten() for name in ("item_id", "exposed", "label_click"))
    if not len(items):
        raise CorankError(f"{group.path}: request {request_id} lists no item, so nothing of it is scored")
    return Listed(
        group,
        row,
        request_id,
        pc.cast(items, pa.string()).to_pylist(),
        exposed.to_numpy(zero_copy_only=False).astype(bool),
        clicks.to_numpy(zero_copy_only=False).astype(bool),
    )


def _near(ids: pa.ChunkedArray, name: str) -> list[str]:
    """Ids that stand near a name in the order of texts: a list may be too long to compare it with all."""
    ordered = np.sort(ids.to_numpy().astype(str))
    place = int(np.searchsorted(ordered, name))
    return [str(near) for near in ordered[max(place - _NEAR, 0) : place + _NEAR]]
