"""A study, as tables."""

from __future__ import annotations

from rich.table import Table

from corank.evaluation.intervals import Difference, Estimate
from corank.screen.tables import table
from corank.study.result import NOTE, TITLES, StudyResult

SHOWN = ("exposed.gauc", "exposed.auc", "all_channels.gauc", "all_channels.purchase_ndcg@10")


def study_parts(result: StudyResult) -> list[Table | str]:
    """Every condition, every direction, and that it is a simulation."""
    conditions = [
        [
            one.condition.model,
            one.condition.size,
            one.condition.recipe,
            one.condition.budget,
            len(one.runs),
            *(_value(one.values.get(metric)) for metric in SHOWN),
        ]
        for one in result.conditions
    ]
    directions = [
        [
            one.contrast.name,
            one.contrast.expected,
            *(_gap(one.found.get(m), one.verdicts.get(m)) for m in SHOWN),
        ]
        for one in result.directions
    ]
    titles = [TITLES[metric] for metric in SHOWN]
    state = "All runs are done." if result.complete else "Not all runs are done: the same command goes on."
    return [
        table(
            f"Simulated: study {result.name}, mean over seeds",
            ["model", "size", "samples", "equal", "seeds", *titles],
            conditions,
            left=4,
        ),
        table("Simulated: directions [95 %]", ["direction", "expected", *titles], directions, left=2),
        f"{NOTE} {state} Page: {result.folder / 'report.html'}",
    ]


def _value(value: Estimate | None) -> str:
    if value is None or value.value is None:
        return "-"
    if value.low is None or value.high is None:
        return f"{value.value:.4f}"
    return f"{value.value:.4f} ±{(value.high - value.low) / 2:.4f}"


def _gap(gap: Difference | None, word: str | None) -> str:
    if gap is None or gap.value is None:
        return "-"
    if gap.low is None or gap.high is None:
        return f"{gap.value:+.4f}"
    return f"{gap.value:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}] {word}"
