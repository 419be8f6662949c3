"""Sums and differences of conditions, with intervals over requests and seeds, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from corank.evaluation.intervals import Difference, Draws, interval, number, over_seeds
from corank.study.conditions import Condition
from corank.study.config import Budget

Expected = Literal["above", "below", "neutral"]
NEUTRAL = 0.002
"""What stays within this of zero, interval and all, is called neutral: of metrics between 0 and 1. A loss has
no such band."""

Measured = Mapping[str, Mapping[str, Draws]]
"""By condition and metric: the mean over the seeds."""


@dataclass(frozen=True)
class Contrast:
    """What a paper claims at some size and budget, as a sum of conditions: a direction, once it is measured.

    Attributes:
        name: of the claim.
        claim: in words.
        plus, minus: conditions that are added and taken away.
        expected: where the sum should lie of zero, if more is better.
        size: of the models, the largest of several.
        budget: of their training.
    """

    name: str
    claim: str
    plus: tuple[Condition, ...]
    minus: tuple[Condition, ...]
    expected: Expected
    size: str
    budget: Budget

    @property
    def where(self) -> str:
        """Size and budget in words."""
        return f"{self.size}, equal {self.budget}"


def mean_over_seeds(runs: Mapping[str, Sequence[Mapping[str, Draws]]]) -> dict[str, dict[str, Draws]]:
    """Of each condition's runs, by condition and metric."""
    return {
        key: {metric: over_seeds([one[metric] for one in seeds]) for metric in seeds[0]}
        for key, seeds in runs.items()
    }


def contrast(measured: Measured, one: Contrast, metric: str) -> Difference:
    """The sum with its interval; the terms share the resamples of the requests."""
    terms = [(1, measured[c.key][metric]) for c in one.plus]
    terms += [(-1, measured[c.key][metric]) for c in one.minus]
    shortest = min(len(draws.resampled) for _, draws in terms)
    value = sum(sign * draws.value for sign, draws in terms)
    resampled = np.sum([sign * draws.resampled[:shortest] for sign, draws in terms], axis=0)
    low, high = interval(value, resampled, [draws for _, draws in terms])
    return Difference(number(value), low, high, None)


def verdict(found: Difference, expected: Expected, lower_is_better: bool = False) -> str:
    """Whether a direction was seen: `reproduced`, `refuted` or `open`; `above` is better."""
    if found.low is None or found.high is None:
        return "open"
    if expected == "neutral":
        if found.low > -NEUTRAL and found.high < NEUTRAL and not lower_is_better:
            return "reproduced"
        return "refuted" if found.low > 0 or found.high < 0 else "open"
    sign = 1 if (expected == "above") != lower_is_better else -1
    if min(sign * found.low, sign * found.high) > 0:
        return "reproduced"
    return "refuted" if max(sign * found.low, sign * found.high) < 0 else "open"
