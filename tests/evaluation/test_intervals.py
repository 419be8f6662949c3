"""The bootstrap against resampling by hand, its coverage, and differences that are paired."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from corank.errors import CorankError
from corank.evaluation import metric_names, paired_difference, predictions_of
from corank.evaluation.arrays import Floats
from corank.evaluation.intervals import bootstrap, interval, over_seeds, resampled_counts

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
        low, high = interval(counts @ values / 60)
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


def test_seeds_widen_the_interval_by_their_spread(make_table: MakeTable) -> None:
    rows = [predictions_of(make_table(noise=2.0, seed=seed)) for seed in range(5)]
    draws = [bootstrap(one, ["gauc"], 1000)["gauc"] for one in rows]
    together = over_seeds(draws, seed=0, model=0)
    values = np.array([one.value for one in draws])
    requests_alone = np.mean([one.resampled for one in draws], axis=0)
    assert together.value == pytest.approx(values.mean())
    # Each resample carries the spread of its seeds on its own requests: at least that of the seeds on all.
    expected = np.mean(np.var([one.resampled for one in draws], axis=0, ddof=1)) / 5
    assert np.var(together.resampled) == pytest.approx(np.var(requests_alone) + expected, rel=0.15)


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
        ("auc@5", "unknown metric 'auc@5'"),
    ]:
        with pytest.raises(CorankError, match=sentence):
            bootstrap(rows, [name], 0)
