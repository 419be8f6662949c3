"""Draws are uniform, and those of different requests and seeds know nothing of each other."""

from __future__ import annotations

from functools import cache

import ibis
import numpy as np
import numpy.typing as npt
import pytest

from corank.samples.draws import item_key, request_key

REQUESTS, ITEMS, DRAWN = 4000, 24, 6
Keys = npt.NDArray[np.int64]


@cache
def ranks(seed: int, first_item: int, text: bool) -> Keys:
    """Where each item stands in the order of its request's draw keys: [requests, items], from 0."""
    connection = ibis.duckdb.connect()
    requests = ibis.range(REQUESTS).unnest().name("request").as_table()
    items = ibis.range(ITEMS).unnest().name("item").as_table()
    pairs = requests.cross_join(items.mutate(item=items.item + first_item)).mutate(row=0)
    if text:
        pairs = pairs.mutate(request=pairs.request.cast("string"))
    keys = [request_key(pairs.request, seed, purpose) for purpose in ("draw-1", "draw-2")]
    keyed = pairs.mutate(key=item_key(pairs.item, pairs.request, (keys[0], keys[1]), seed))
    ranked = keyed.mutate(rank=ibis.row_number().over(group_by="request", order_by=["key", "item"]))
    table = connection.to_pyarrow(ranked.order_by("request", "item").select("rank"))
    connection.disconnect()
    return np.asarray(table["rank"].to_numpy()).reshape(REQUESTS, ITEMS)


def chi_square(counts: npt.NDArray[np.int64], expected: float) -> float:
    return float(((counts - expected) ** 2 / expected).sum())


CASES = [(0, 0, False), (1, 10**12, False), (0, -12, False), (0, 0, True)]


@pytest.mark.parametrize(("seed", "first_item", "text"), CASES)
def test_every_item_stands_everywhere_equally_often(seed: int, first_item: int, text: bool) -> None:
    found = ranks(seed, first_item, text)
    counts = np.array([np.bincount(found[:, item], minlength=ITEMS) for item in range(ITEMS)])
    # (ITEMS - 1)^2 degrees of freedom; the bound is five standard deviations.
    freedom = (ITEMS - 1) ** 2
    assert abs(chi_square(counts, REQUESTS / ITEMS) - freedom) < 5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize(("seed", "first_item", "text"), CASES)
def test_every_pair_is_drawn_equally_often(seed: int, first_item: int, text: bool) -> None:
    drawn = (ranks(seed, first_item, text) < DRAWN).astype(np.int64)
    together = (drawn.T @ drawn)[np.triu_indices(ITEMS, 1)]
    expected = REQUESTS * DRAWN * (DRAWN - 1) / (ITEMS * (ITEMS - 1))
    freedom = len(together) - 1
    assert chi_square(together, expected) < freedom + 5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize("text", [False, True])
def test_neighbouring_requests_and_seeds_are_independent(text: bool) -> None:
    this, other = ranks(0, 0, text), ranks(1, 0, text)
    bound = 5 / np.sqrt(REQUESTS * ITEMS)
    for one, two in ((this[:-1], this[1:]), (this, other)):
        assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < bound
        same = ((one < DRAWN) & (two < DRAWN)).sum() / one.size
        assert same == pytest.approx((DRAWN / ITEMS) ** 2, abs=5 * 0.25 / np.sqrt(one.size))
