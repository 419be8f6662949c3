"""The figures of a simulated A/B test: what each arm brings a request, how arms differ, how sure that is.

Resamples draw users, each with all requests of all seeds: requests of one user are alike. All arms see the
same requests, and the same resamples, so their differences are paired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from corank.evaluation.arrays import Floats, Ints, ratio, sum_by
from corank.evaluation.intervals import (
    LEVEL,
    RESAMPLES,
    Difference,
    Draws,
    Estimate,
    difference,
    resampled_counts,
)

MEASURES = ("clicks", "purchases", "money")
"""What is counted of a request."""
WAYS = ("expected", "drawn")
"""On average over what chance decides, exactly; and as chance had it."""
NOTE = (
    "Simulated: users of the marketplace simulator act on re-ranked fresh requests, one step each; "
    "no live traffic was served."
)

Values = Mapping[str, Mapping[str, Floats]]
"""By way and measure: a value of each request."""
Figures = dict[str, dict[str, Draws]]


@dataclass(frozen=True)
class Effect:
    """How an arm differs from the first in one measure."""

    difference: Difference
    """Per request."""
    relative: Difference
    """In percent of the first arm's value; undefined where that is zero."""


@dataclass(frozen=True)
class Arm:
    """One order of the candidates."""

    key: str
    """`A`, `B`, `logging` or `oracle`."""
    name: str
    values: dict[str, dict[str, Estimate]]
    """By way and measure, per request."""
    effects: dict[str, dict[str, Effect]]
    """Against the first arm, by way and measure; empty for the first."""
    shared: float
    """Share of the first arm's shown items that this arm shows, too."""


@dataclass(frozen=True)
class Setup:
    """What was simulated."""

    truth: str
    """The simulated log."""
    runs: tuple[dict[str, Any], ...]
    """Path, model, seed, and recipe and fingerprint of the samples, of A and B."""
    days: int
    """After the log's end."""
    seeds: tuple[int, ...]
    requests: int
    """Re-ranked, of all seeds."""
    users: int
    candidates: int
    shown: int
    """Candidates of a request that an order shows, at most."""
    task: str
    """Whose score orders the candidates."""
    draws: int
    """Times that each request was acted out; none for expectations alone."""
    versions: dict[str, str]


@dataclass(frozen=True)
class ABTest:
    """A simulated A/B test; the first arm is the base."""

    setup: Setup
    arms: tuple[Arm, ...]
    resamples: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"simulated": True, "note": NOTE, "level": LEVEL, **asdict(self)}


@dataclass(frozen=True)
class ArmValues:
    """What is known of an arm before it is resampled."""

    key: str
    name: str
    values: Values
    shared: float


def compare_arms(
    user: Ints, arms: Sequence[ArmValues], resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Arm, ...]:
    """Each arm's figures and its effects against the first.

    Args:
        user: [requests] numbers of the users, from 0 to their number - 1, each with a request at least.
        arms: with values of these requests.
        resamples: of the users; there are none of a single user, and no intervals.
        seed: of the resamples.
    """
    made: list[Arm] = []
    first: Figures = {}
    for arm in arms:
        figures = per_request(user, arm.values, resamples, seed)
        first = first or figures
        made.append(
            Arm(
                key=arm.key,
                name=arm.name,
                values={w: {m: draws.estimate() for m, draws in one.items()} for w, one in figures.items()},
                effects={
                    w: {m: effect(first[w][m], draws) for m, draws in one.items()}
                    for w, one in figures.items()
                }
                if made
                else {},
                shared=arm.shared,
            )
        )
    return tuple(made)


def per_request(user: Ints, values: Values, resamples: int, seed: int) -> Figures:
    """The mean of each measure over the requests: of all users, and of each resample of them."""
    users = int(user.max(initial=-1)) + 1
    names = [(way, measure) for way, measures in values.items() for measure in measures]
    columns = [values[way][measure] for way, measure in names]
    sums = np.stack([sum_by(user, column, users) for column in (*columns, np.ones(len(user)))], axis=1)
    chunks = resampled_counts(users, resamples if users > 1 else 0, seed)
    totals = np.concatenate([sums.sum(axis=0, keepdims=True), *(counts @ sums for counts in chunks)])
    figures: Figures = {way: {} for way in values}
    for place, (way, measure) in enumerate(names):
        means = ratio(totals[:, place], totals[:, -1])
        figures[way][measure] = Draws(float(means[0]), means[1:], groups=users, skipped=0)
    return figures


def effect(first: Draws, second: Draws) -> Effect:
    """Second against first, on the same resamples."""
    nothing = Draws(0.0, np.zeros(len(first.resampled)), first.groups, 0)
    percent = Draws(
        value=float(100 * ratio(second.value - first.value, first.value)),
        resampled=100 * ratio(second.resampled - first.resampled, first.resampled),
        groups=first.groups,
        skipped=0,
    )
    return Effect(difference(first, second), difference(nothing, percent))
