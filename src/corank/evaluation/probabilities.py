"""Log loss, normalised entropy and calibration: how far the scores are right as probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corank.evaluation.arrays import Floats, Ints, binary, finite, masses, ratio, sum_by

SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1 where a logarithm is taken."""


def logloss(scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Mean binary cross-entropy in nats; not-a-number without rows."""
    mass = masses(weights, len(np.asarray(labels)))
    return float(ratio(np.sum(mass * losses(scores, labels)), mass.sum()))


def normalised_entropy(
    scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> float:
    """Log loss divided by that of always predicting the mean label; below 1 is better than the mean.

    Not-a-number when only one label occurs.
    """
    mass = masses(weights, len(np.asarray(labels)))
    label = binary(labels, len(mass))
    base = entropy(ratio(np.sum(mass * label), mass.sum()))
    return float(ratio(logloss(scores, labels, weights), base))


def losses(scores: npt.ArrayLike, labels: npt.ArrayLike) -> Floats:
    """[rows] binary cross-entropy of each row in nats."""
    score = np.clip(finite(scores, "scores"), SMALLEST, 1 - SMALLEST)
    return -np.log(np.where(binary(labels, len(score)), score, 1 - score))


def entropy(rate: Floats) -> Floats:
    """Cross-entropy in nats of predicting `rate` where labels are positive at that rate; 0 at 0 and 1."""
    inside = np.clip(rate, 1e-300, 1.0)
    outside = np.clip(1 - rate, 1e-300, 1.0)
    return -(rate * np.log(inside) + (1 - rate) * np.log(outside))


@dataclass(frozen=True)
class Calibration:
    """Predicted against observed positives, overall and in bins of about equally many rows."""

    ratio: float
    """Sum of the scores divided by that of the labels; 1 is right, not-a-number without a positive."""
    error: float
    """Expected calibration error: mean absolute gap between predicted and observed, weighted by bin mass."""
    mass: Floats
    """[bins] sum of the rows' weights."""
    predicted: Floats
    """[bins] mean score."""
    observed: Floats
    """[bins] share of positives."""


def calibration(
    scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None, bins: int = 10
) -> Calibration:
    """Calibration of scores as probabilities."""
    score = finite(scores, "scores")
    label = binary(labels, len(score))
    mass = masses(weights, len(score))
    bin_of = equal_mass_bins(score, bins)
    width = int(bin_of.max(initial=-1)) + 1
    in_bin, predicted, observed = (
        sum_by(bin_of, mass * values, width) for values in (np.ones(len(score)), score, label)
    )
    return Calibration(
        ratio=float(ratio(predicted.sum(), observed.sum())),
        error=float(ratio(np.abs(predicted - observed).sum(), mass.sum())),
        mass=in_bin,
        predicted=ratio(predicted, in_bin),
        observed=ratio(observed, in_bin),
    )


def equal_mass_bins(scores: Floats, bins: int) -> Ints:
    """[rows] bin of each score: at most `bins` of about equally many rows; equal scores share one."""
    if not len(scores):
        return np.zeros(0, dtype=np.int64)
    shares = np.arange(1, bins) / bins
    edges = np.unique(np.quantile(scores, shares, method="inverted_cdf"))
    bin_of = np.searchsorted(edges, scores, side="left")
    return np.unique(bin_of, return_inverse=True)[1]
