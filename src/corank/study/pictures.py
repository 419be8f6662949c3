"""What the page of a study draws: a dot a condition, or the lines of Figure 4."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from corank.evaluation.intervals import Difference
from corank.report.canvas import INK, colour, legend, mark, picture
from corank.report.sections import Picture
from corank.study.config import Budget
from corank.study.contrasts import Contrast
from corank.study.result import TITLES, Found, StudyResult
from corank.study.widths import LINES, MULTIPLES

SHOWN = ("exposed.auc", "exposed.gauc", "all_channels.purchase_ndcg@10")
"""Drawn: the metric of the paper's figures, and one of each test within lists."""


def dots(result: StudyResult) -> tuple[Picture, ...]:
    """Every condition that has a run, on both tests."""
    done = [found for found in result.conditions if found.runs]
    if not done:
        return ()
    told = "; ".join(f"{found.condition.key} {found.values[SHOWN[0]].value or 0:.4f}" for found in done)
    return (
        picture(
            "Simulated: every condition on both tests",
            f"Dots with whiskers of {len(done)} conditions; {TITLES[SHOWN[0]]}: {told}",
            "Whiskers are 95 % intervals of each condition alone; conditions share the test's requests, so"
            " whiskers may overlap although a direction is sure.",
            lambda canvas: _dots(canvas, done),
            size=(9.2, 1.2 + 0.25 * len(done)),
        ),
    )


def _dots(canvas: Figure, done: list[Found]) -> None:
    recipes = list(dict.fromkeys(found.condition.recipe for found in done))
    for axes, metric in zip(canvas.subplots(1, len(SHOWN), sharey=True).flat, SHOWN, strict=True):
        for place, found in enumerate(done):
            value, number = found.values[metric], recipes.index(found.condition.recipe)
            if value.value is None:
                continue
            if value.low is not None and value.high is not None:
                axes.plot([value.low, value.high], [place, place], color=colour(number), linewidth=1.6)
            axes.plot(value.value, place, mark(number), color=colour(number), markersize=5)
        axes.set_title(TITLES[metric].replace(", ", "\n"))
        axes.set_yticks(range(len(done)), [found.condition.key for found in done], color=INK)
        axes.set_ylim(len(done) - 0.4, -0.6)
        axes.margins(x=0.1)


def lines(result: StudyResult) -> tuple[Picture, ...]:
    """What each line has over HHSFT of 1x on search only, at every multiple that is done: Figure 4."""
    found = {one.contrast: one.found for one in result.directions if one.found}
    drawn = []
    for size in result.config.sizes:
        for budget in result.config.budgets:
            points = _points(found, size, budget)
            if not any(points):
                continue
            told = "; ".join(
                f"{line.name} {', '.join(f'{m}x {of[SHOWN[0]].value or 0:+.4f}' for m, of in own)}"
                for line, own in zip(LINES, points, strict=True)
                if own
            )
            drawn.append(
                picture(
                    f"Simulated: widths of hhsft_{size}, equal {budget}",
                    f"Lines over 1x to 4x of {len(LINES)} ways to widen; {TITLES[SHOWN[0]]}: {told}",
                    "Differences to 1x on search only, with 95 % intervals, paired over requests.",
                    partial(draw_lines, points=points),
                    size=(9.2, 3.6),
                )
            )
    return tuple(drawn)


Points = Sequence[tuple[int, dict[str, Difference]]]


def _points(found: Mapping[Contrast, dict[str, Difference]], size: str, budget: Budget) -> list[Points]:
    """Of each line: a multiple and its differences, by metric."""
    return [
        [(m, of) for m in MULTIPLES if (of := found.get(line.over_first(m, size, budget))) is not None]
        for line in LINES
    ]


def draw_lines(canvas: Figure, points: Sequence[Points]) -> None:
    """A panel a metric, a line of `points` a line of `widths`, whiskers at its dots."""
    axes: Axes
    for axes, metric in zip(canvas.subplots(1, len(SHOWN)).flat, SHOWN, strict=True):
        axes.axhline(0, color=INK, linewidth=0.8)
        for number, (line, own) in enumerate(zip(LINES, points, strict=True)):
            shift = 0.05 * (number - 1.5)  # so that whiskers do not cover one another
            known = [(m + shift, of[metric]) for m, of in own]
            if known and line.recipe == "exposed":
                known = [(1 + shift, Difference(0.0, None, None, None)), *known]  # 1x itself
            for x, of in known:
                if of.low is not None and of.high is not None:
                    axes.plot([x, x], [of.low, of.high], color=colour(number), linewidth=1.2)
            style = "-" if line.recipe == "exposed" else "--"
            axes.plot(
                [x for x, _ in known],
                [math.nan if of.value is None else of.value for _, of in known],
                style + mark(number),
                color=colour(number),
                label=line.name,
                markersize=5,
            )
        axes.set_title(TITLES[metric].replace(", ", "\n"))
        axes.set_xticks(MULTIPLES, [f"{m}x" for m in MULTIPLES])
        axes.set_xlabel("width")
        if metric == SHOWN[0]:
            axes.set_ylabel("over 1x on search only")
    legend(canvas, axes)
