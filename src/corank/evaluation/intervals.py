"""Bootstrap over requests: how far a metric, or a difference of two models, depends on who happened to ask.

The request is drawn, with all its rows, because rows of one list are not independent. The same seed and
number of requests give the same resamples, which pairs the runs that scored the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

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
    """A metric with its 95 % percentile interval; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None
    groups: int
    """Groups (requests, users, or 1 for a pooled AUC) in which the metric is defined."""
    skipped: int
    """Groups left out."""


@dataclass(frozen=True)
class Difference:
    """Second minus first, with its 95 % percentile interval; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None
    above_zero: float | None
    """Share of the resamples in which the difference is above zero (an exact zero counts one half)."""


@dataclass(frozen=True)
class Draws:
    """One metric: on the sample as it is, and on each resample."""

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
        low, high = interval(self.resampled, (self,))
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
    return {
        name: difference(over_seeds(first[name], seed, 0), over_seeds(second[name], seed, 1))
        for name in metrics
    }


def seed_draws(
    runs: Sequence[Predictions], metrics: Sequence[str], resamples: int, seed: int
) -> dict[str, list[Draws]]:
    """For each metric, the draws of each seed of a model, on the same resamples of the requests."""
    each = [bootstrap(run, metrics, resamples, seed) for run in runs]
    return {name: [draws[name] for draws in each] for name in metrics}


def over_seeds(runs: Sequence[Draws], seed: int, model: int) -> Draws:
    """Mean over the seeds of a model; each resample draws seeds too, independently for each `model`.

    Drawing S seeds out of S shrinks their variance by (S - 1) / S; the deviations are stretched to undo it.
    That few seeds tell their variance badly is for `interval` to account for.
    """
    values = np.array([run.value for run in runs])
    resampled = np.stack([run.resampled for run in runs])
    seeds, draws = resampled.shape
    mean = resampled.mean(axis=0)
    if seeds > 1:
        chosen = np.random.default_rng([seed, model]).integers(seeds, size=(seeds, draws))
        redrawn = np.take_along_axis(resampled, chosen, axis=0).mean(axis=0)
        mean = mean + np.sqrt(seeds / (seeds - 1)) * (redrawn - mean)
    spread = float(values.var(ddof=1) / seeds) if seeds > 1 else 0.0
    freedom = seeds - 1 if seeds > 1 else math.inf
    return Draws(float(values.mean()), mean, runs[0].groups, runs[0].skipped, spread, freedom)


def difference(a: Draws, b: Draws) -> Difference:
    """`b` minus `a`, resample by resample."""
    gaps = b.resampled - a.resampled
    gaps = gaps[~np.isnan(gaps)]
    low, high = interval(gaps, (a, b))
    above = float(np.mean((np.sign(gaps) + 1) / 2)) if len(gaps) else None
    return Difference(number(b.value - a.value), low, high, above)


def interval(draws: Floats, terms: Iterable[Draws] = ()) -> tuple[float | None, float | None]:
    """The middle 95 % of the draws that are defined, wider where seeds of their `terms` are few.

    Args:
        draws: of a sum or difference of the terms.
        terms: independent of one another as to their seeds.
    """
    defined = draws[~np.isnan(draws)]
    if not len(defined):
        return None, None
    ends = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    centre = defined.mean()
    low, high = centre + _student(float(defined.var()), terms) * (ends - centre)
    return float(low), float(high)


def _student(variance: float, terms: Iterable[Draws]) -> float:
    """How much wider Student's interval is than a normal one.

    Requests are many, seeds few: the variance of the sum has the degrees of freedom of Welch (1947) and
    Satterthwaite (1946), `(sum of v_i)^2 / (sum of v_i^2 / f_i)`, requests one of the parts, with f infinite.
    """
    spreads = [(one.spread, one.freedom) for one in terms if one.spread > 0]
    if not spreads:
        return 1.0
    whole = max(variance, sum(spread for spread, _ in spreads))
    freedom = whole**2 / sum(spread**2 / known for spread, known in spreads)
    return float(stdtrit(freedom, (1 + LEVEL) / 2) / ndtri((1 + LEVEL) / 2))


def number(value: float) -> float | None:
    """The value, None where it is not a number (JSON has no other word for it)."""
    return None if np.isnan(value) else float(value)
