"""Bootstrap over requests: how far a metric, or a difference of two models, depends on who happened to ask.

The request is drawn, with all its rows, because rows of one list are not independent. The same seed and
number of requests give the same resamples, which pairs the runs that scored the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from corank.evaluation.arrays import Floats
from corank.evaluation.metrics import build_statistics, metric_names
from corank.evaluation.predictions import Predictions
from corank.evaluation.statistics import RequestSums, RowFunction, Statistic

RESAMPLES = 1000
ROW_RESAMPLES = 200
"""Resamples of the metrics that need every row again: at most this many."""
LEVEL = 0.95
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A metric with its 95 % interval; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None
    groups: int
    """Groups (requests, users, or 1 for a pooled AUC) in which the metric is defined."""
    skipped: int
    """Groups left out."""


@dataclass(frozen=True)
class Difference:
    """Second minus first, with its 95 % interval; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None
    above_zero: float | None
    """Share of the resamples of the requests in which it is above zero (an exact zero counts one half)."""


@dataclass(frozen=True)
class Draws:
    """One metric: on the sample as it is, and on each resample of the requests."""

    value: float
    resampled: Floats
    groups: int
    skipped: int
    spread: float = 0.0
    """Where it is a mean over seeds: its variance for their sake."""
    freedom: float = math.inf
    """Degrees of freedom with which that is known: one less than seeds."""

    def estimate(self) -> Estimate:
        """The metric with its interval; none where fewer than two requests could differ."""
        low, high = interval(self.value, self.resampled, (self,))
        return Estimate(number(self.value), low, high, self.groups, self.skipped)


def bootstrap(
    predictions: Predictions, metrics: Sequence[str], resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Draws]:
    """Every metric on the same resamples of the requests.

    Row functions take the first `ROW_RESAMPLES` resamples at most. A single request has no resamples.

    Raises:
        CorankError: a name is not that of a metric.
    """
    statistics = build_statistics(predictions, metrics)
    requests = predictions.requests
    drawn = [_measure(statistics, np.ones((1, requests)), 1)]
    done = 0
    for counts in resampled_counts(requests, resamples if requests > 1 else 0, seed):
        drawn.append(_measure(statistics, counts, ROW_RESAMPLES - done))
        done += len(counts)
    return {
        name: Draws(
            value=float(drawn[0][name][0]),
            resampled=np.concatenate([np.zeros(0), *(chunk[name] for chunk in drawn[1:])]),
            groups=statistic.counted,
            skipped=statistic.skipped,
        )
        for name, statistic in statistics.items()
    }


def _measure(statistics: Mapping[str, Statistic], counts: Floats, row_resamples: int) -> dict[str, Floats]:
    """Each metric for [resamples, requests] counts; row functions for the first `row_resamples` of them."""
    sums = {name: one for name, one in statistics.items() if isinstance(one, RequestSums)}
    rows = {name: one for name, one in statistics.items() if isinstance(one, RowFunction)}
    measured: dict[str, Floats] = {}
    if sums:
        widths = np.cumsum([one.columns.shape[1] for one in sums.values()])
        totals = counts @ np.concatenate([one.columns for one in sums.values()], axis=1)
        for name, part in zip(sums, np.split(totals, widths[:-1], axis=1), strict=True):
            measured[name] = sums[name].combine(part)
    few = counts[: max(0, row_resamples)]
    for name, function in rows.items():
        values = [function.of_counts(count) if function.counted else np.nan for count in few]
        measured[name] = np.array(values, dtype=np.float64)
    return measured


def resampled_counts(requests: int, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each request is drawn (with replacement) by each resample: chunks [resamples, requests]."""
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK // max(1, requests))
    for start in range(0, resamples, chunk):
        rows = range(min(chunk, resamples - start))
        yield np.stack(
            [np.bincount(generator.integers(requests, size=requests), minlength=requests) for _ in rows]
        ).astype(np.float64)


def paired_difference(
    a: Sequence[Predictions],
    b: Sequence[Predictions],
    metrics: Sequence[str] = metric_names(),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Difference]:
    """Mean of model `b` over its seeds minus that of model `a`, each given as one predictions a seed.

    All must hold the same rows in the same order. The interval covers requests, and seeds where a model has
    several; with one seed it says nothing about training again.

    Raises:
        ValueError: a model has no predictions, or not all have as many rows and requests.
    """
    if len({(one.rows, one.requests) for one in (*a, *b)}) != 1 or not (a and b):
        raise ValueError("paired predictions must hold the same rows")
    first = seed_draws(a, metrics, resamples, seed)
    second = seed_draws(b, metrics, resamples, seed)
    return {name: difference(over_seeds(first[name]), over_seeds(second[name])) for name in metrics}


def seed_draws(
    runs: Sequence[Predictions], metrics: Sequence[str], resamples: int, seed: int
) -> dict[str, list[Draws]]:
    """For each metric, the draws of each seed of a model, on the same resamples of the requests."""
    each = [bootstrap(run, metrics, resamples, seed) for run in runs]
    return {name: [draws[name] for draws in each] for name in metrics}


def over_seeds(runs: Sequence[Draws]) -> Draws:
    """Mean over the seeds of a model, as it is and on each resample, and its variance for the seeds' sake."""
    values, seeds = np.array([run.value for run in runs]), len(runs)
    mean = np.stack([run.resampled for run in runs]).mean(axis=0)
    spread = float(values.var(ddof=1) / seeds) if seeds > 1 else 0.0
    freedom = seeds - 1 if seeds > 1 else math.inf
    return Draws(float(values.mean()), mean, runs[0].groups, runs[0].skipped, spread, freedom)


def difference(a: Draws, b: Draws) -> Difference:
    """`b` minus `a`, resample by resample."""
    value, gaps = b.value - a.value, b.resampled - a.resampled
    low, high = interval(value, gaps, (a, b))
    gaps = gaps[~np.isnan(gaps)]
    above = float(np.mean((np.sign(gaps) + 1) / 2)) if len(gaps) else None
    return Difference(number(value), low, high, above)


def interval(
    value: float, resampled: Floats, terms: Iterable[Draws] = ()
) -> tuple[float | None, float | None]:
    """The 95 % interval of a value over requests and, where its terms are means over seeds, over seeds too.

    Without seeds: the middle 95 % of the resamples that are defined. With seeds, `value -+ t_f sqrt(V)`:
    V is the variance of the resamples and of each term for its seeds' sake (independent of one another);
    f the degrees of freedom of Welch (1947) and Satterthwaite (1946), `V^2 / sum of v_i^2 / f_i`, with
    requests, which are many, known without end. What a seed does to single requests is in both parts, so
    the interval errs to the wide side.

    Args:
        value: a sum or difference of the terms.
        resampled: the same on each resample of the requests.
        terms: means over seeds.
    """
    defined = resampled[~np.isnan(resampled)]
    if not len(defined):
        return None, None
    spreads = [(one.spread, one.freedom) for one in terms if one.spread > 0]
    if not spreads:
        low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)
    variance = float(defined.var()) + sum(spread for spread, _ in spreads)
    freedom = variance**2 / sum(spread**2 / known for spread, known in spreads)
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(variance)
    return number(value - half), number(value + half)


def number(value: float) -> float | None:
    """The value, None where it is not a number (JSON has no other word for it)."""
    return None if np.isnan(value) else float(value)
