"""Log loss, normalised entropy and calibration against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corank.evaluation import calibration, logloss, normalised_entropy

ROWS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1), st.floats(0.1, 3)), min_size=1, max_size=30)


def cross_entropy(score: float, label: int) -> float:
    score = min(max(score, 1e-7), 1 - 1e-7)
    return -math.log(score if label else 1 - score)


@given(ROWS)
def test_logloss_and_normalised_entropy(rows: list[tuple[float, int, float]]) -> None:
    scores, labels, weights = zip(*rows, strict=True)
    mass = sum(weights)
    wanted = sum(cross_entropy(score, label) * weight for score, label, weight in rows) / mass
    assert logloss(scores, labels, weights) == pytest.approx(wanted)
    rate = sum(label * weight for _, label, weight in rows) / mass
    if len(set(labels)) == 2:
        base = -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
        assert normalised_entropy(scores, labels, weights) == pytest.approx(wanted / base, rel=1e-6)


def test_the_mean_label_has_entropy_one_and_one_label_none() -> None:
    labels = [1, 0, 0, 0]
    assert normalised_entropy([0.25] * 4, labels) == pytest.approx(1)
    assert math.isnan(normalised_entropy([0.25] * 4, [0] * 4))
    assert math.isnan(logloss([], []))


@given(ROWS, st.integers(1, 6))
def test_calibration_bins_cover_all_rows_in_order(rows: list[tuple[float, int, float]], bins: int) -> None:
    scores, labels, weights = (np.array(column) for column in zip(*rows, strict=True))
    table = calibration(scores, labels, weights, bins=bins)
    assert 1 <= len(table.mass) <= bins
    assert table.mass.sum() == pytest.approx(weights.sum())
    assert (table.mass * table.predicted).sum() == pytest.approx((weights * scores).sum())
    assert (table.mass * table.observed).sum() == pytest.approx((weights * labels).sum())
    assert (np.diff(table.predicted) >= 0).all()
    gaps = table.mass * abs(table.predicted - table.observed)
    assert table.error == pytest.approx(gaps.sum() / weights.sum())


def test_bins_hold_equally_many_rows_and_keep_ties_together() -> None:
    generator = np.random.default_rng(0)
    scores = generator.random(1000)
    assert set(calibration(scores, scores > 2, bins=10).mass) == {100}
    assert calibration(np.full(1000, 0.2), np.arange(1000) < 200).error == pytest.approx(0)
    assert len(calibration(np.full(1000, 0.2), np.arange(1000) < 200).mass) == 1


def test_the_ratio_tells_over_from_under_prediction() -> None:
    labels = np.arange(10) < 2
    assert calibration(np.full(10, 0.4), labels).ratio == pytest.approx(2)
    assert math.isnan(calibration(np.full(10, 0.4), np.zeros(10)).ratio)
