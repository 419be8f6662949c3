"""The figures of a simulated A/B test against arithmetic by hand: means, paired effects, users drawn."""

from __future__ import annotations

import json

import numpy as np
import pytest

from corank.evaluation.abtest import ABTest, ArmValues, Setup, compare_arms
from corank.evaluation.arrays import Floats
from corank.evaluation.intervals import Difference, Estimate, resampled_counts

ZERO = Difference(0.0, 0.0, 0.0, 0.5)


def arm(key: str, clicks: Floats, way: str = "expected") -> ArmValues:
    values = {way: {"clicks": clicks, "purchases": clicks / 10, "money": clicks * 3}}
    return ArmValues(key, f"run {key}", values, shared=1.0)


def width(figure: Estimate | Difference) -> float:
    assert figure.low is not None
    assert figure.high is not None
    return figure.high - figure.low


def test_figures_are_those_of_the_users_drawn() -> None:
    user = np.array([0, 0, 1, 2, 2, 2])
    a, b = np.array([1.0, 0, 2, 1, 0, 1]), np.array([1.0, 1, 2, 0, 0, 3])
    first, second = compare_arms(user, [arm("A", a), arm("B", b)], resamples=50, seed=4)
    assert first.values["expected"]["clicks"].value == pytest.approx(5 / 6)
    assert second.values["expected"]["money"].value == pytest.approx(3 * 7 / 6)
    effect = second.effects["expected"]["clicks"]
    assert effect.difference.value == pytest.approx(2 / 6)
    assert effect.relative.value == pytest.approx(100 * 2 / 5)
    (counts,) = resampled_counts(3, 50, 4)
    of_a, of_b = (
        [np.repeat(values, drawn[user].astype(int)).mean() for drawn in counts] for values in (a, b)
    )
    gaps = np.array(of_b) - np.array(of_a)
    low, high = np.quantile(gaps, [0.025, 0.975])
    assert [effect.difference.low, effect.difference.high] == pytest.approx([low, high])
    low, high = np.quantile(100 * gaps / np.array(of_a), [0.025, 0.975])
    assert [effect.relative.low, effect.relative.high] == pytest.approx([low, high])


def test_an_arm_against_itself_differs_by_nothing_at_all() -> None:
    rng = np.random.default_rng(0)
    user, clicks = np.arange(300) // 3, rng.random(300)
    _, second = compare_arms(user, [arm("A", clicks), arm("B", clicks.copy())], resamples=200)
    for one in second.effects["expected"].values():
        assert (one.difference, one.relative) == (ZERO, ZERO)


def test_pairing_narrows_the_interval_of_a_difference() -> None:
    rng = np.random.default_rng(1)
    user, clicks = np.arange(600) // 3, rng.exponential(size=600)
    better = clicks + 0.05 + 0.01 * rng.random(600)
    first, second = compare_arms(user, [arm("A", clicks), arm("B", better)])
    gap = second.effects["expected"]["clicks"].difference
    assert width(gap) < 0.05 * width(first.values["expected"]["clicks"])
    assert gap.above_zero == 1


def test_requests_of_one_user_are_not_counted_as_independent() -> None:
    rng = np.random.default_rng(2)
    of_user = rng.random(50)
    together = compare_arms(np.repeat(np.arange(50), 20), [arm("A", np.repeat(of_user, 20))])
    apart = compare_arms(np.arange(1000), [arm("A", np.repeat(of_user, 20))])
    once = compare_arms(np.arange(50), [arm("A", of_user)])
    clicks = [width(arms[0].values["expected"]["clicks"]) for arms in (together, apart, once)]
    assert clicks[0] == pytest.approx(clicks[2])
    assert clicks[0] > 3 * clicks[1]


def test_what_cannot_be_told_is_left_open() -> None:
    none, some = np.zeros(4), np.ones(4)
    _, second = compare_arms(np.array([0, 1, 2, 3]), [arm("A", none), arm("B", some)], resamples=10)
    effect = second.effects["expected"]["clicks"]
    assert effect.difference.value == 1
    assert effect.relative == Difference(None, None, None, None)
    (alone,) = compare_arms(np.zeros(4, dtype=np.int64), [arm("A", some)])
    assert alone.values["expected"]["clicks"] == Estimate(1.0, None, None, 1, 0)


def test_its_document_says_that_it_is_a_simulation() -> None:
    setup = Setup("log", ({}, {}), 2, (0,), 4, 4, 40, 10, "click", 0, {})
    arms = compare_arms(np.arange(4), [arm("A", np.ones(4)), arm("B", np.ones(4))], resamples=5)
    document = json.loads(json.dumps(ABTest(setup, arms, 5, 0).to_json()))
    assert document["simulated"] is True
    assert document["note"].startswith("Simulated: ")
    assert document["arms"][0]["effects"] == {}
    assert document["arms"][1]["effects"]["expected"]["money"]["relative"]["value"] == 0
