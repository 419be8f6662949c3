"""Given vectors, alone: normalised by the definition, what cannot be used counted, lengths held."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from corank.errors import CorankError
from corank.features.vectors import Normalise, VectorFit, Vectors, to_vectors

ROWS: list[list[float | None] | None] = [
    [3.0, 4.0],
    None,
    [math.nan, 1.0],
    [math.inf, 1.0],
    [None, 1.0],
    [1e300, 1.0],
    [0.0, -2.0],
]
USABLE = [0, 6]


def fitted(normalise: Normalise, *parts: list[Any], weights: list[int] | None = None) -> Vectors:
    fit = VectorFit("image", normalise)
    for part in parts:
        column = pa.array(part, pa.list_(pa.float64()))
        fit.add(column, None if weights is None else np.array(weights))
    return fit.done()


def test_vectors_must_be_of_one_length() -> None:
    column = pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32()))
    vectors = to_vectors(column, "image")
    assert vectors[[0, 2]].tolist() == [[1, 2], [3, 4]]
    assert np.isnan(vectors[1]).all()
    with pytest.raises(
        CorankError, match=r"field 'image': embeddings must be of one length, found lengths \[1, 2\]"
    ):
        to_vectors(pa.array([[1.0], [1.0, 2.0]]), "image")


@pytest.mark.parametrize("normalise", ["l2", "standard", "none"])
def test_what_cannot_be_used_is_missing_and_counted(normalise: Normalise) -> None:
    vectors = fitted(normalise, ROWS)
    assert (vectors.dim, vectors.rows, vectors.missing, vectors.unusable) == (2, 7, 1, 4)
    made = vectors.encode(pa.array(ROWS, pa.list_(pa.float64())), "image")
    assert np.isnan(made).all(1).tolist() == [i not in USABLE for i in range(7)]
    assert np.isfinite(made[USABLE]).all()
    assert made.dtype == np.float32


def test_l2_keeps_directions_and_makes_numbers_one_in_the_mean_square() -> None:
    rows = np.random.default_rng(0).normal(3, 5, (50, 8)) * 10.0 ** np.arange(-25, 25)[:, None]
    column = pa.array(rows.tolist())
    made = fitted("l2", rows.tolist()).encode(column, "image")
    expected = rows / np.linalg.norm(rows, axis=1, keepdims=True) * math.sqrt(8)
    np.testing.assert_allclose(made, expected, rtol=1e-5)
    zero = fitted("l2", [[0.0, 0.0], [1.0, 0.0]])
    assert (zero.missing, zero.unusable) == (0, 1)
    assert fitted("none", [[0.0, 0.0], [1.0, 0.0]]).unusable == 0


def test_standard_scores_are_by_weighted_means_over_what_can_be_used() -> None:
    rng = np.random.default_rng(1)
    rows, weights = rng.normal([1, -20, 7], [2, 0.1, 0], (40, 3)), rng.integers(0, 5, 40)
    listed: list[Any] = [*rows.tolist(), None]
    made = fitted("standard", listed, weights=[*weights.tolist(), 9]).encode(pa.array(listed), "image")
    repeated = np.repeat(rows, weights, axis=0)
    deviation = repeated.std(0)
    expected = (rows[:, :2] - repeated.mean(0)[:2]) / deviation[:2]
    np.testing.assert_allclose(made[:-1, :2], expected, rtol=1e-3, atol=1e-4)
    assert (made[:-1, 2] == 0).all(), "a number that never varies says nothing"
    assert np.isnan(made[-1]).all()


def test_parts_are_read_as_one() -> None:
    """Also where the first part has nothing but nulls."""
    rows: list[Any] = [None, None, [1.0, 2.0], [3.0, 5.0], [4.0, 0.0]]
    whole, cut = fitted("standard", rows), fitted("standard", rows[:2], rows[2:4], rows[4:])
    assert whole.shift == pytest.approx(cut.shift)
    assert whole.scale == pytest.approx(cut.scale)
    assert (whole.rows, whole.missing) == (cut.rows, cut.missing) == (5, 2)
    with pytest.raises(CorankError, match=r"embeddings must be of 2 numbers, found lengths \[3\]"):
        fitted("l2", [[1.0, 2.0]], [[1.0, 2.0, 3.0]])


@pytest.mark.parametrize("rows", [[], [None, None], [[], []], [[math.nan, 1.0]], [[0.0, 0.0]]])
def test_a_field_without_any_vector_is_refused(rows: list[Any]) -> None:
    with pytest.raises(CorankError, match=r"field 'image': none of the \d embeddings read in training can"):
        fitted("l2", rows)


def test_another_length_than_in_training_is_refused() -> None:
    vectors = fitted("l2", [[1.0, 2.0]])
    wrong: list[list[list[float]]] = [[[1.0]], [[1.0, 2.0], [1.0, 2.0, 3.0]], [[]]]
    for rows in wrong:
        with pytest.raises(CorankError, match=r"field 'image': embeddings must be of 2 numbers, found len"):
            vectors.encode(pa.array(rows, pa.list_(pa.float64())), "image")
    assert vectors.encode(pa.array([], pa.list_(pa.float64())), "image").shape == (0, 2)
    assert np.isnan(vectors.encode(pa.nulls(3, pa.list_(pa.float64())), "image")).all()


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32()),
        pa.large_list(pa.float64()),
        pa.list_(pa.float32(), 2),
        pa.list_(pa.float16()),
        pa.list_(pa.int64()),
    ],
)
def test_every_kind_of_list_is_read(kind: pa.DataType) -> None:
    rows: list[Any] = [[3, 4], None, [0, -2]]
    column = pa.array(rows, kind)
    vectors = VectorFit("image", "none")
    vectors.add(column)
    made = vectors.done().encode(column, "image")
    assert made[[0, 2]].tolist() == [[3, 4], [0, -2]]
    assert np.isnan(made[1]).all()
    assert vectors.done().encode(column.slice(2), "image").tolist() == [[0, -2]]


def test_what_was_learned_survives_as_plain_values() -> None:
    for normalise in ("l2", "standard"):
        vectors = fitted(normalise, ROWS)
        assert Vectors.of(asdict(vectors)) == vectors
    with pytest.raises(ValueError, match="cosine"):
        Vectors.of(asdict(vectors) | {"normalise": "cosine"})
