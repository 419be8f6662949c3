"""AUC and GAUC equal a count of pairs: ties, one label only, single items, weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corank.evaluation import auc, gauc, rank

Rows = list[tuple[int, float, int, float]]
ROWS = st.lists(
    st.tuples(
        st.integers(-1, 3),
        st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        st.integers(0, 1),
        st.sampled_from([0.5, 1.0, 2.0]),
    ),
    min_size=1,
    max_size=30,
)


def lists(values: Sequence[float], groups: Sequence[int]) -> dict[int, list[float]]:
    """The values of each group, in rising order of the groups."""
    found: dict[int, list[float]] = {group: [] for group in sorted(set(groups))}
    for value, group in zip(values, groups, strict=True):
        found[group].append(value)
    return found


def area(scores: Sequence[float], labels: Sequence[float], weights: Sequence[float]) -> float | None:
    """Weighted share of (positive, negative) pairs in the right order; a tie is half right."""
    right = mass = 0.0
    for score, label, weight in zip(scores, labels, weights, strict=True):
        for other, other_label, other_weight in zip(scores, labels, weights, strict=True):
            if label and not other_label:
                mass += weight * other_weight
                right += weight * other_weight * (1.0 if score > other else 0.5 if score == other else 0.0)
    return right / mass if mass else None


@given(ROWS)
def test_gauc(rows: Rows) -> None:
    groups, scores, labels, weights = zip(*rows, strict=True)
    by = [lists(values, groups) for values in (scores, labels, weights)]
    wanted = [area(*(values[group] for values in by)) for group in by[0]]
    metric = gauc(rank(scores, groups), labels, weights)
    assert np.allclose(metric.values, [math.nan if one is None else one for one in wanted], equal_nan=True)
    assert metric.skipped == wanted.count(None)
    assert metric.counted == len(wanted) - metric.skipped
    mass = [sum(by[2][group]) for group in by[0]]
    counted = [(value, weight) for value, weight in zip(wanted, mass, strict=True) if value is not None]
    if counted:
        mean = sum(value * weight for value, weight in counted) / sum(weight for _, weight in counted)
        assert metric.value == pytest.approx(mean)
    else:
        assert math.isnan(metric.value)


@given(ROWS)
def test_auc(rows: Rows) -> None:
    _, scores, labels, weights = zip(*rows, strict=True)
    wanted = area(scores, labels, weights)
    assert auc(scores, labels, weights) == pytest.approx(math.nan if wanted is None else wanted, nan_ok=True)
