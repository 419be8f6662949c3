"""The bootstrap against resampling by hand, its coverage, and differences that are paired."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import t as student

from corank.errors import CorankError
from corank.evaluation import metric_names, paired_difference, predictions_of
from corank.evaluation.arrays import Floats
from corank.evaluation.intervals import (
    Draws,
    bootstrap,
    difference,
    interval,
    over_seeds,
    resampled_counts,
)

MakeTable = Callable[..., pa.Table]


def known(value: float | None) -> float:
    """The value, which is defined."""
    assert value is not None
    return value


def repeated(table: pa.Table, counts: Floats) -> pa.Table:
    """The rows of the requests drawn, each draw a request of its own."""
    request = np.asarray(table["request_id"])
    parts: list[pa.Table] = []
    for number, count in enumerate(counts.astype(int)):
        rows = np.flatnonzero(request == 1000 + number)
        for _ in range(count):
            part = table.take(rows)
            parts.append(part.set_column(0, "request_id", [np.full(len(rows), len(parts))]))
    return pa.concat_tables(parts)


def test_resamples_equal_the_metrics_of_the_repeated_rows(make_table: MakeTable) -> None:
    table = make_table(requests=20)
    names = [name for name in metric_names() if name != "ece"]  # its bins stay those of the whole sample
    draws = bootstrap(predictions_of(table), names, resamples=6, seed=3)
    counts = next(resampled_counts(20, 6, seed=3))
    for number, count in enumerate(counts):
        assert count.sum() == 20
        by_hand = bootstrap(predictions_of(repeated(table, count)), names, resamples=0)
        for name in names:
            wanted = by_hand[name].value
            assert draws[name].resampled[number] == pytest.approx(wanted, nan_ok=True), name


def test_same_seed_same_interval_and_another_differs(make_table: MakeTable) -> None:
    rows = predictions_of(make_table())
    first, again, other = (bootstrap(rows, ["auc", "ndcg@5"], 100, seed) for seed in (1, 1, 2))
    for name in ("auc", "ndcg@5"):
        assert first[name].estimate() == again[name].estimate()
        assert first[name].estimate() != other[name].estimate()
        estimate = first[name].estimate()
        assert known(estimate.low) < known(estimate.value) < known(estimate.high)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        values = generator.normal(size=60)
        counts = np.concatenate(list(resampled_counts(60, 300, seed=trial)))
        low, high = interval(values.mean(), counts @ values / 60)
        covered += low is not None and high is not None and low <= 0 <= high
    assert 0.89 <= covered / 200 <= 0.99


def test_a_paired_interval_is_narrower_than_unpaired_ones(make_table: MakeTable) -> None:
    a, b = (predictions_of(make_table(noise=noise)) for noise in (1.0, 1.3))
    gap = paired_difference([a], [b], ["gauc"], resamples=300)["gauc"]
    alone = bootstrap(a, ["gauc"], 300)["gauc"].estimate()
    assert known(gap.high) - known(gap.low) < known(alone.high) - known(alone.low)
    assert gap.value == pytest.approx(bootstrap(b, ["gauc"], 0)["gauc"].value - known(alone.value))


def test_the_difference_to_oneself_is_nothing(make_table: MakeTable) -> None:
    rows = predictions_of(make_table())
    for gap in paired_difference([rows], [rows], ["auc", "mrr", "ece"], resamples=20).values():
        assert (gap.value, gap.low, gap.high, gap.above_zero) == (0, 0, 0, 0.5)


def test_a_mean_over_seeds_knows_their_spread(make_table: MakeTable) -> None:
    rows = [predictions_of(make_table(noise=2.0, seed=seed)) for seed in range(5)]
    draws = [bootstrap(one, ["gauc"], 100)["gauc"] for one in rows]
    together = over_seeds(draws)
    values = [one.value for one in draws]
    assert together.value == pytest.approx(statistics.mean(values))
    assert together.spread == pytest.approx(statistics.variance(values) / 5)
    assert together.freedom == 4
    assert together.resampled == pytest.approx(np.mean([one.resampled for one in draws], axis=0))
    assert over_seeds(draws[:1]).estimate() == draws[0].estimate(), "one seed tells nothing of seeds"


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("spreads", [(0.3, 0.3), (3.0, 3.0), (3.0, 0.2)])
@pytest.mark.parametrize("own", [0.0, 1.0])
def test_a_difference_of_few_seeds_covers_as_often_as_it_says(
    seeds: int, spreads: tuple[float, float], own: float
) -> None:
    """`spreads` are the deviations of each model's seeds, `own` what each seed makes of the requests, in the
    deviation of a model's requests."""
    generator = np.random.default_rng(0)
    covered, trials = 0, 600
    for _ in range(trials):
        means = []
        for spread in spreads:
            errors, shift = generator.normal(size=200), generator.normal()
            runs = []
            for _ in range(seeds):
                value = shift + spread * generator.normal() + own * generator.normal()
                runs.append(Draws(value, value + errors + own * generator.normal(size=200), 9, 0))
            means.append(over_seeds(runs))
        gap = difference(*means)
        covered += known(gap.low) <= 0 <= known(gap.high)
    assert 0.93 <= covered / trials <= 0.99


def test_an_interval_over_seeds_is_that_of_welch_and_satterthwaite() -> None:
    """Of two means of seeds alone, whose spreads and numbers differ; requests that move lend it freedom."""
    draws = np.linspace(-1, 1, 1001)
    a = Draws(0.0, draws, 9, 0, spread=0.2, freedom=2)
    b = Draws(0.0, draws, 9, 0, spread=0.05, freedom=4)
    whole = float(draws.var()) + 0.25
    freedom = whole**2 / (0.2**2 / 2 + 0.05**2 / 4)
    half = student.ppf(0.975, freedom) * whole**0.5
    assert interval(0.3, draws, (a, b)) == pytest.approx((0.3 - half, 0.3 + half))
    assert interval(0.3, 0 * draws, (b,)) == pytest.approx((0.3 - 0.6208, 0.3 + 0.6208), abs=1e-4)
    plain = float(np.quantile(draws, 0.975))
    assert interval(0.0, draws, (Draws(0.0, draws, 9, 0),)) == pytest.approx((-plain, plain))
    assert interval(float("nan"), draws, (a,)) == (None, None)


def test_differences_need_the_same_rows(make_table: MakeTable) -> None:
    a, b = predictions_of(make_table()), predictions_of(make_table(requests=5))
    with pytest.raises(ValueError, match="same rows"):
        paired_difference([a], [b])


def test_unknown_metrics_name_the_nearest(make_table: MakeTable) -> None:
    rows = predictions_of(make_table(requests=3))
    for name, sentence in [
        ("gauk", "unknown metric 'gauk'; did you mean 'gauc'"),
        ("ndcg@0", "'0' is not a number of places"),
        ("ndcg@x", "'x' is not a number of places"),
        ("purchase_mrr", "unknown metric 'purchase_mrr'"),
        ("ctcvr_mrr", "unknown metric 'ctcvr_mrr'"),
        ("purchase_ctcvr_auc", "unknown metric 'purchase_ctcvr_auc'"),
        ("auc@5", "unknown metric 'auc@5'"),
    ]:
        with pytest.raises(CorankError, match=sentence):
            bootstrap(rows, [name], 0)
