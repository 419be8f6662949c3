"""What the benchmark of studies adds to them: the mean over seeds of the simulated A/B test."""

from __future__ import annotations

import math
from typing import Any

import pytest

import codesign
from corank.study.conditions import ENDS, MODELS


def row(seed: int, percent: float) -> dict[str, Any]:
    return {"seed": seed, "measure": "money", "a": 2.0, "b": 2.0 + seed, "percent": percent, "searches": 10}


def test_the_mean_has_students_interval_over_seeds() -> None:
    found = codesign.mean(
        [row(1, 1.0), row(2, 2.0), row(3, 3.0), {**row(9, 50.0), "measure": "clicks"}], "money"
    )
    assert (found["seed"], found["percent"], found["b"], found["searches"]) == ("mean", 2.0, 4.0, 30)
    half = 4.302652729911275 * 1 / 3**0.5  # t of 2 degrees of freedom at .975, deviation 1
    assert (found["low"], found["high"]) == pytest.approx((2 - half, 2 + half))
    one = codesign.mean([row(1, 1.0)], "money")
    assert math.isnan(one["low"])


def test_both_ends_are_conditions_of_the_study() -> None:
    for model, recipe in (codesign.BASE, codesign.NEW):
        assert model in MODELS
        assert recipe in ENDS
