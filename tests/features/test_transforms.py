"""Vocabularies and scales, alone."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corank.errors import CorankError
from corank.features.transforms import Quantiles, Vocabulary, pad, to_numbers, words


def vocabulary(values: list[str | None], counts: list[int], min_count: int = 1, size: int = 10) -> Vocabulary:
    return Vocabulary.of_counts(pa.array(values), np.array(counts), min_count, size)


def test_codes_are_by_frequency_then_value_and_the_rest_are_rare() -> None:
    v = vocabulary(["c", "b", "a", "z", None], [3, 9, 3, 1, 50], min_count=2)
    assert v.values.to_pylist() == ["b", "a", "c"]
    assert v.encode(pa.array(["b", "a", "c", "z", "new", None])).tolist() == [2, 3, 4, 1, 1, 0]
    assert v.cardinality == 5


def test_only_the_most_frequent_are_kept() -> None:
    assert vocabulary(["a", "b", "c"], [1, 2, 3], size=2).values.to_pylist() == ["c", "b"]


def test_ids_of_another_width_are_cast_and_of_another_kind_refused() -> None:
    v = Vocabulary.of_counts(pa.array([7, 8]), np.array([2, 1]), 1, 10)
    assert v.encode(pa.array([8, 7], pa.int32())).tolist() == [3, 2]
    with pytest.raises(CorankError, match="ids of type string given where the model was trained on int64"):
        v.encode(pa.array(["x"]))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=300))
def test_scaled_numbers_keep_their_order_within_0_and_1(values: list[float]) -> None:
    raw = np.array(values)
    scaled = Quantiles.fit(raw, count=9).encode(raw)
    assert scaled.min() >= 0
    assert scaled.max() <= 1
    assert (np.diff(scaled[np.argsort(raw)]) >= -1e-6).all()


def test_a_heavy_value_does_not_eat_the_resolution_of_the_tail() -> None:
    """95 % zeros: the counts above zero still spread over most of the range."""
    raw = np.concatenate([np.zeros(95_000), np.random.default_rng(0).integers(1, 400, 5_000)]).astype(float)
    scale = Quantiles.fit(raw, count=33)
    assert scale.encode(np.array([0.0]))[0] == 0
    assert scale.encode(np.array([200.0]))[0] == pytest.approx(0.5, abs=0.1)


def test_missing_and_infinite_numbers_stay_missing() -> None:
    scaled = Quantiles((0.0, 1.0)).encode(np.array([math.nan, math.inf, 0.25, -5.0]))
    assert np.isnan(scaled[:2]).all()
    assert scaled[2:].tolist() == [0.25, 0.0]
    assert Quantiles.fit(np.array([math.nan])).encode(np.array([3.0])).tolist() == [0.5]


def test_text_is_no_number() -> None:
    with pytest.raises(CorankError, match="field 'price': kind number needs a numeric column, found string"):
        to_numbers(pa.array(["12"]), "price")


def test_lists_are_cut_and_padded() -> None:
    codes = pad(np.array([0, 2, 2, 5]), np.array([5, 6, 7, 8, 9], np.int32), length=2)
    assert codes.tolist() == [[5, 6], [0, 0], [7, 8]]


def test_words_are_lower_case() -> None:
    assert words(pa.array([" Red  Shoes", "", None])).to_pylist() == [["red", "shoes"], [""], None]
