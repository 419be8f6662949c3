"""The numbers behind the figures."""

from __future__ import annotations

import numpy as np
import pytest

from corank.evaluation.intervals import Difference
from corank.report.headline import tone
from corank.report.mixing import by_tokens


def test_tokens_take_the_mean_of_their_rows_and_the_sum_of_their_columns() -> None:
    generator = np.random.default_rng(0)
    matrix = generator.random((12, 12))
    matrix /= matrix.sum(axis=1, keepdims=True)
    tokens = by_tokens(matrix, 3)
    assert tokens.sum(axis=1) == pytest.approx(1)
    assert tokens[1, 2] == pytest.approx(matrix[4:8, 8:12].sum(axis=1).mean())


@pytest.mark.parametrize(
    ("metric", "low", "high", "word"),
    [
        ("gauc", 0.1, 0.2, "better"),
        ("gauc", -0.2, -0.1, "worse"),
        ("logloss", -0.2, -0.1, "better"),
        ("logloss", 0.1, 0.2, "worse"),
        ("gauc", -0.1, 0.2, ""),
        ("gauc", 0.0, 0.2, ""),
    ],
)
def test_a_difference_has_a_name_only_where_its_interval_leaves_out_zero(
    metric: str, low: float, high: float, word: str
) -> None:
    assert tone(metric, Difference((low + high) / 2, low, high, 0.5)) == word
