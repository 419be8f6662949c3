"""What the runs of a study come to: means, intervals, and paired differences between models."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from corank.evaluation.intervals import (
    RESAMPLES,
    Difference,
    Draws,
    Estimate,
    difference,
    over_seeds,
    resampled_counts,
)
from corank.evaluation.statistics import quotient
from tuning import Run, Study, Sums

BOTH, SEEDS = "requests and seeds", "seeds"


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval, and over what that was taken; None where there is none."""

    value: float | None
    low: float | None
    high: float | None
    over: str = ""

    def cells(self, name: str) -> dict[str, Any]:
        """As columns."""
        ends = {"": self.value, "_low": self.low, "_high": self.high}
        return {name + end: None if value is None else round(value, 5) for end, value in ends.items()}


def mean(study: Study, runs: Sequence[Run], metric: str) -> Interval:
    """Mean over seeds."""
    values = [one.test[metric] for one in runs]
    if len(values) < 2:
        return Interval(values[0] if values else None, None, None)
    sums = study.values(runs, metric)
    if sums is None:
        half = _half(statistics.variance(values) / len(values), len(values) - 1)
        centre = statistics.mean(values)
        return Interval(centre, centre - half, centre + half, SEEDS)
    found = over_seeds(draws(sums)).estimate()
    return Interval(found.value, found.low, found.high, BOTH)


def gain(
    study: Study, base: Sequence[Run], runs: Sequence[Run], metric: str, same_seeds: bool = False
) -> Interval:
    """Mean of `runs` minus mean of `base`, on the same requests.

    The interval covers requests and seeds. Where a run's values by request are gone, it is Welch's over the
    seeds alone. With `same_seeds`, runs of one seed belong together, and its difference is what varies.
    """
    if len(base) < 2 or len(runs) < 2:
        return Interval(None, None, None)
    if same_seeds:
        common = {one.seed for one in base} & {one.seed for one in runs}
        base, runs = ([one for one in part if one.seed in common] for part in (base, runs))
        if len(common) < 2:
            return Interval(None, None, None)
    first, second = study.values(base, metric), study.values(runs, metric)
    if first is None or second is None:
        return _of_seeds([one.test[metric] for one in base], [one.test[metric] for one in runs], same_seeds)
    if same_seeds:
        pairs = zip(draws(first), draws(second), strict=True)
        gaps = [Draws(b.value - a.value, b.resampled - a.resampled, b.groups, 0) for a, b in pairs]
        found: Estimate | Difference = over_seeds(gaps).estimate()
    else:
        found = difference(over_seeds(draws(first)), over_seeds(draws(second)))
    return Interval(found.value, found.low, found.high, BOTH)


def draws(sums: Sequence[Sums]) -> list[Draws]:
    """The metric of each run, and on each resample of the requests: the same resamples for all."""
    requests = len(sums[0])
    if any(len(one) != requests for one in sums):
        raise ValueError("runs of one task must be measured on the same requests")
    columns = np.concatenate(sums, axis=1)
    totals = [counts @ columns for counts in resampled_counts(requests, RESAMPLES, 0)]
    resampled = np.concatenate(totals)
    whole = columns.sum(axis=0, keepdims=True)
    return [
        Draws(float(quotient(whole[:, at : at + 2])[0]), quotient(resampled[:, at : at + 2]), requests, 0)
        for at in range(0, 2 * len(sums), 2)
    ]


def _of_seeds(base: Sequence[float], values: Sequence[float], same_seeds: bool) -> Interval:
    centre = statistics.mean(values) - statistics.mean(base)
    if same_seeds:
        gaps = [value - other for value, other in zip(values, base, strict=True)]
        half = _half(statistics.variance(gaps) / len(gaps), len(gaps) - 1)
    else:
        parts = [(statistics.variance(one) / len(one), len(one) - 1) for one in (base, values)]
        total = sum(part for part, _ in parts)
        freedom = total**2 / sum(part**2 / count for part, count in parts) if total else 1
        half = _half(total, freedom)
    return Interval(centre, centre - half, centre + half, SEEDS)


def _half(variance: float, freedom: float) -> float:
    """Half of Student's 95 % interval."""
    return float(student.ppf(0.975, freedom)) * math.sqrt(variance)


def summary(
    study: Study, metrics: Sequence[str], bases: Sequence[str], same_seeds: bool = False
) -> Iterator[dict[str, Any]]:
    """A row a model that has been begun; the first metric is the one with differences to each base."""
    for model in study.models:
        tried, finals = study.tried(model), study.finals(model)
        if not (tried or finals):
            continue
        every = [*tried, *finals]
        row: dict[str, Any] = {"task": study.task.name, "model": model, "complete": study.complete(model)}
        row |= {"trials": len(tried), "seeds": len(finals), "settings": study.chosen(model) or ""}
        whole = mean(study, finals, metrics[0])
        row |= whole.cells(f"test_{metrics[0]}")
        values = [one.test[metrics[0]] for one in finals]
        row[f"test_{metrics[0]}_sd"] = round(statistics.stdev(values), 5) if len(values) > 1 else None
        row["by_seed"] = " ".join(f"{value:.5f}" for value in values)
        row["interval_over"] = whole.over
        for base in bases:
            found = Interval(None, None, None)
            if base != model and study.complete(base):  # a difference to a part of its seeds would move
                found = gain(study, study.finals(base), finals, metrics[0], same_seeds)
            row |= found.cells(f"over_{base}")
        for metric in metrics[1:]:
            others = [one.test[metric] for one in finals]
            row[f"test_{metric}"] = round(statistics.mean(others), 5) if others else None
        row["valid_best_trial"] = max((one.valid for one in tried), default=None)
        for fact in every[0].facts:
            row[fact] = statistics.median(one.facts[fact] for one in every)
        row |= {name: getattr(every[-1], name) for name in ("command", "machine", "versions")}
        yield row
