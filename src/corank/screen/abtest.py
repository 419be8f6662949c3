"""A simulated A/B test, as tables."""

from __future__ import annotations

from rich.table import Table

from corank.evaluation.abtest import MEASURES, NOTE, ABTest
from corank.evaluation.intervals import Difference, Estimate
from corank.screen.tables import table


def abtest_parts(test: ABTest) -> list[Table | str]:
    """The effect of B against A, what every arm brings, and that it is a simulation."""
    base, other = test.arms[:2]
    effects = [
        [
            f"{measure}, {way}",
            _figure(base.values[way][measure]),
            _figure(other.values[way][measure]),
            _gap(one.difference, 5),
            _gap(one.relative, 2),
        ]
        for way, of in other.effects.items()
        for measure, one in of.items()
    ]
    arms = [
        [f"{arm.key}: {arm.name}", *(_figure(arm.values["expected"][m]) for m in MEASURES)]
        + [_gap(arm.effects["expected"][m].relative, 2) if arm.effects else "base" for m in MEASURES]
        + [f"{arm.shared:.1%}"]
        for arm in test.arms
    ]
    setup = test.setup
    return [
        table(
            f"Simulated A/B test, per request: {other.name} (B) against {base.name} (A) [95 %]",
            ["", "A", "B", "B - A", "B - A, % of A"],
            effects,
        ),
        table(
            "Simulated: all orders of the same candidates, expected per request; difference to A in % [95 %]",
            ["order", *MEASURES, *(f"{m}, %" for m in MEASURES), "shared with A"],
            arms,
        ),
        f"{NOTE} {setup.requests:,} searches by {setup.users:,} users in the {setup.days} days after"
        f" {setup.truth}; seeds {', '.join(map(str, setup.seeds))}.",
    ]


def _figure(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    half = (
        "" if estimate.low is None or estimate.high is None else f" ±{(estimate.high - estimate.low) / 2:.4f}"
    )
    return f"{estimate.value:.4f}{half}"


def _gap(gap: Difference, digits: int) -> str:
    if gap.value is None:
        return "-"
    if gap.low is None or gap.high is None:
        return f"{gap.value:+.{digits}f}"
    clear = " *" if gap.low > 0 or gap.high < 0 else ""
    return f"{gap.value:+.{digits}f} [{gap.low:+.{digits}f}, {gap.high:+.{digits}f}]{clear}"
