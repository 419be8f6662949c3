"""Metrics in the form a bootstrap needs: functions of how often each request was drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from corank.evaluation.areas import Pairs
from corank.evaluation.arrays import Bools, Floats, Ints, ratio, sum_by
from corank.evaluation.probabilities import entropy, equal_mass_bins, losses
from corank.evaluation.ranking import GroupMetric, Ranking


@dataclass(frozen=True)
class RequestSums:
    """A metric that is a function of sums over requests: cheap, one matrix product for all resamples."""

    columns: Floats
    """[requests, sums] what each request adds to each sum."""
    combine: Callable[[Floats], Floats]
    """[resamples, sums] -> [resamples]."""
    counted: int
    """Groups in which the metric is defined."""
    skipped: int
    """Groups left out."""


@dataclass(frozen=True)
class RowFunction:
    """A metric that needs every row again for every resample."""

    of_counts: Callable[[Floats], float]
    """[requests] how often each request was drawn -> the metric."""
    counted: int
    skipped: int


Statistic = RequestSums | RowFunction


def mean_over_requests(metric: GroupMetric) -> RequestSums:
    """Weighted mean of a metric of each request."""
    defined = ~np.isnan(metric.values)
    weights = np.where(defined, metric.weights, 0.0)
    columns = np.stack([weights * np.where(defined, metric.values, 0.0), weights], axis=1)
    return RequestSums(columns, quotient, metric.counted, metric.skipped)


def sums_by_request(request: Ints, *values: Floats, combine: Callable[[Floats], Floats]) -> RequestSums:
    """A function of sums of row values; every request counts."""
    requests = int(request.max(initial=-1)) + 1
    columns = np.stack([sum_by(request, value, requests) for value in values], axis=1)
    return RequestSums(columns, combine, requests, 0)


def mean_loss(request: Ints, scores: Floats, labels: Bools, weights: Floats) -> RequestSums:
    """Log loss."""
    return sums_by_request(request, weights * losses(scores, labels), weights, combine=quotient)


def mean_loss_normalised(request: Ints, scores: Floats, labels: Bools, weights: Floats) -> RequestSums:
    """Normalised entropy."""

    def combine(sums: Floats) -> Floats:
        loss, mass, positive = sums.T
        return ratio(ratio(loss, mass), entropy(ratio(positive, mass)))

    values = (weights * losses(scores, labels), weights, weights * labels)
    return sums_by_request(request, *values, combine=combine)


def calibration_ratio(request: Ints, scores: Floats, labels: Bools, weights: Floats) -> RequestSums:
    """Sum of the scores divided by that of the labels."""
    return sums_by_request(request, weights * scores, weights * labels, combine=quotient)


def calibration_error(request: Ints, scores: Floats, labels: Bools, weights: Floats) -> RequestSums:
    """Expected calibration error; the bins stay those of the whole sample."""
    bin_of = equal_mass_bins(scores, bins=10)
    gap = weights * (scores - labels)
    gaps = (np.where(bin_of == number, gap, 0.0) for number in range(int(bin_of.max(initial=-1)) + 1))

    def combine(sums: Floats) -> Floats:
        return ratio(np.abs(sums[:, 1:]).sum(axis=1), sums[:, 0])

    return sums_by_request(request, weights, *gaps, combine=combine)


def mean_area(request: Ints, ranking: Ranking, labels: Bools, weights: Floats) -> RowFunction:
    """AUC (a ranking of one group) or GAUC by groups that are not requests."""
    pairs = Pairs.of(ranking, labels)
    of_positives, of_negatives = request[pairs.positives], request[pairs.negatives]
    positives, negatives = weights[pairs.positives], weights[pairs.negatives]

    def area(count: Floats) -> float:
        values, impressions = pairs.areas(count[of_positives] * positives, count[of_negatives] * negatives)
        return GroupMetric(values, impressions).value

    return RowFunction(area, len(pairs.groups), ranking.groups - len(pairs.groups))


def quotient(sums: Floats) -> Floats:
    """First sum divided by the second."""
    return ratio(sums[:, 0], sums[:, 1])
