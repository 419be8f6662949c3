"""A study as one HTML page: its directions, its conditions, and a picture of them."""

from __future__ import annotations

import json

from matplotlib.figure import Figure

from corank.evaluation.intervals import Difference, Estimate
from corank.files import whole_file
from corank.report.canvas import INK, colour, mark, picture
from corank.report.page import render
from corank.report.sections import ABSENT, Cell, Picture, Section, Table
from corank.study.result import NOTE, TESTS, TITLES, Direction, Found, StudyResult
from corank.training.run import versions

SHOWN = ("exposed.gauc", "all_channels.purchase_ndcg@10")
"""One metric of each test, drawn."""
INTERVALS = (
    "95 % intervals from resamples of the test's requests and of the seeds, paired over requests. A direction"
    " is reproduced if its interval lies where the paper's figure does, refuted if it lies on the other side"
    " of zero, else open. Many are looked at here: one in forty on either side is clear of zero by chance."
)
DEFINITIONS = "What is compared, and how: docs/reference/study.md of corank."
_TONE = {"reproduced": "better", "refuted": "worse", "open": ""}


def write_study_page(result: StudyResult) -> None:
    """Write report.html whole."""
    far = "" if result.complete else " Not all runs are done: figures are of those that are."
    facts = {"config": result.config.model_dump(mode="json"), "versions": versions()}
    sections = [
        Section("directions", "Directions", (NOTE + far, INTERVALS), tables=(_directions(result),)),
        Section("conditions", "Conditions", (), (_conditions(result),), _pictures(result)),
        Section(
            "method",
            "How it was made",
            (NOTE,),
            details=(("Settings, versions", json.dumps(facts, indent=2)),),
        ),
    ]
    page = render(f"Study {result.name}", "simulated", sections, DEFINITIONS)
    with whole_file(result.folder / "report.html") as aside:
        aside.write_text(page, encoding="utf-8")


def _directions(result: StudyResult) -> Table:
    rows = tuple(
        (Cell(one.contrast.name, (one.contrast.claim,)), *(_verdict(one, metric) for metric in TESTS))
        for one in result.directions
    )
    header = ("Direction", *(TITLES[metric] for metric in TESTS))
    return Table("Simulated. Difference of the two sides, its interval, what it says.", header, rows)


def _verdict(one: Direction, metric: str) -> Cell:
    gap = one.found.get(metric)
    if gap is None or gap.value is None:
        return Cell(ABSENT)
    word = one.verdicts[metric]
    return Cell(f"{gap.value:+.4f}", (_span(gap, "+"), word), _TONE[word])


def _conditions(result: StudyResult) -> Table:
    rows = tuple(
        (
            Cell(found.condition.model, (_about(found),)),
            *(_value(found.values.get(metric)) for metric in TESTS),
        )
        for found in result.conditions
    )
    header = ("Model", *(TITLES[metric] for metric in TESTS))
    return Table("Simulated. Mean over the seeds, and its interval.", header, rows)


def _about(found: Found) -> str:
    one = found.condition
    seeds = f"{len(found.runs)} seeds" if len(found.runs) != 1 else "1 seed"
    return f"{one.size}, {one.recipe}, equal {one.budget}, {seeds}"


def _value(value: Estimate | None) -> Cell:
    if value is None or value.value is None:
        return Cell(ABSENT)
    return Cell(f"{value.value:.4f}", (_span(value),))


def _span(of: Estimate | Difference, sign: str = "") -> str:
    if of.low is None or of.high is None:
        return "no interval"
    return f"{of.low:{sign}.4f} to {of.high:{sign}.4f}"


def _pictures(result: StudyResult) -> tuple[Picture, ...]:
    done = [found for found in result.conditions if found.runs]
    if not done:
        return ()
    told = "; ".join(
        f"{found.condition.key} {found.values[SHOWN[0]].value or 0:.4f}" for found in done if found.values
    )
    return (
        picture(
            "Simulated: every condition on both tests",
            f"Dots with whiskers of {len(done)} conditions; {TITLES[SHOWN[0]]}: {told}",
            "Whiskers are 95 % intervals of each condition alone; conditions share the test's requests, so"
            " whiskers may overlap although a direction is sure.",
            lambda canvas: _draw(canvas, done),
            size=(9.2, 1.2 + 0.25 * len(done)),
        ),
    )


def _draw(canvas: Figure, done: list[Found]) -> None:
    recipes = list(dict.fromkeys(found.condition.recipe for found in done))
    for axes, metric in zip(canvas.subplots(1, 2, sharey=True).flat, SHOWN, strict=True):
        for place, found in enumerate(done):
            value, number = found.values[metric], recipes.index(found.condition.recipe)
            if value.value is None:
                continue
            if value.low is not None and value.high is not None:
                axes.plot([value.low, value.high], [place, place], color=colour(number), linewidth=1.6)
            axes.plot(value.value, place, mark(number), color=colour(number), markersize=5)
        axes.set_title(TITLES[metric])
        axes.set_yticks(range(len(done)), [found.condition.key for found in done], color=INK)
        axes.set_ylim(len(done) - 0.4, -0.6)
        axes.margins(x=0.1)
