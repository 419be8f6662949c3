"""A finding: a sentence made from figures, how bad it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from corank.samples.audit.rates import Rate

Level = Literal["act", "watch", "fine"]
LEVELS: tuple[Level, ...] = ("act", "watch", "fine")
"""Mend it before training; know of it; nothing to do."""

FEWEST, MOST = 3, 7
"""Findings of an audit."""


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        level: one of `LEVELS`.
        figure: where in the audit's document the figures are.
        sentence: what was found and what it means.
        advice: what to do.
        excess: its figure over the threshold of `watch`: the worse the higher.
    """

    level: Level
    figure: str
    sentence: str
    advice: str
    excess: float


@dataclass(frozen=True)
class Limits:
    """The thresholds of a figure: from `watch` on it is to be known, from `act` on to be mended."""

    watch: float
    act: float

    def level(self, value: float) -> Level:
        """The level of a figure."""
        return "act" if value >= self.act else "watch" if value >= self.watch else "fine"


def judged(figure: str, value: float, limits: Limits, sentence: str, advice: str) -> Finding:
    """The finding of a figure; without advice where nothing is to be done."""
    level = limits.level(value)
    return Finding(level, figure, sentence, advice if level != "fine" else "", value / limits.watch)


def certain(level: Level, figure: str, sentence: str, advice: str) -> Finding:
    """A finding that needs no threshold, such as that something is missing altogether."""
    return Finding(level, figure, sentence, advice, 1.0)


def surely(rate: Rate) -> float:
    """What a share is at least: the lower end of its interval, so that few rows raise no alarm."""
    return (rate.rate or 0.0) if rate.low is None else rate.low


def ratio(one: Rate, other: Rate) -> float:
    """How many times the one share is the other, at least: by the near ends of their intervals."""
    below = other.rate if other.high is None else other.high
    return surely(one) / below if below else 0.0


def worst_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """What is to be mended, then what is to be known, up to `MOST`; what is fine only to make up `FEWEST`."""
    order: Sequence[Finding] = sorted(
        found, key=lambda one: (LEVELS.index(one.level), -one.excess, one.figure)
    )
    open_ = [one for one in order if one.level != "fine"]
    return tuple(order[: min(MOST, max(FEWEST, len(open_)))])


def percent(rate: Rate | float | None) -> str:
    """A share as findings write it, to two digits that tell.

    >>> [percent(value) for value in (0.412, 0.033, 0.00794, 0.0004, 0)]
    ['41 %', '3.3 %', '0.79 %', '0.04 %', '0 %']
    """
    value = rate.rate if isinstance(rate, Rate) else rate
    if value is None:
        return "n/a"
    digits = 0 if value >= 0.0995 or value == 0 else 1 if value >= 0.00995 else 2 if value >= 0.0001 else 4
    return f"{100 * value:.{digits}f} %"


def spread(rate: Rate) -> str:
    """A share with its 95 % interval in brackets."""
    if rate.low is None or rate.high is None:
        return percent(rate)
    return f"{percent(rate)} [{percent(rate.low)}, {percent(rate.high)}]"
