"""A study as one HTML page: its directions, its conditions, and a picture of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from corank.evaluation.intervals import Difference, Estimate
from corank.files import whole_file
from corank.report.page import render
from corank.report.sections import ABSENT, Cell, Picture, Section, Table
from corank.study.contrasts import NEUTRAL
from corank.study.result import NOTE, TESTS, TITLES, Direction, Found, StudyResult
from corank.training.run import versions

INTERVALS = (
    "95 % intervals over the test's requests and the seeds, paired over requests, on one log and given the"
    " learning rates that were chosen. A direction is reproduced if its interval lies on the claim's side of"
    " zero, refuted if on the other, else open; that nothing changes is reproduced if it lies within"
    f" {NEUTRAL} of zero (of log loss, never). A direction is open while a condition of it has one seed. Many"
    " are looked at here: one in forty on either side is clear of zero by chance."
)
DEFINITIONS = "What is compared, and how: docs/reference/study.md of corank."
_TONE = {"reproduced": "better", "refuted": "worse", "open": ""}


def write_study_page(result: StudyResult, pictures: Sequence[Picture]) -> None:
    """Write report.html whole."""
    far = "" if result.complete else " Not all runs are done: figures are of those that are."
    if result.config.market:
        far += f" A variation of the frozen marketplace: {', '.join(result.config.market)}."
    if result.config.samples:
        far += f" Samples are built with {', '.join(result.config.samples)}."
    facts = {"config": result.config.model_dump(mode="json"), "versions": versions()}
    sections = [
        Section("directions", "Directions", (NOTE + far, INTERVALS), tables=(_directions(result),)),
        Section("conditions", "Conditions", (), (_conditions(result),), tuple(pictures)),
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
        (
            Cell(one.contrast.name, (one.contrast.claim, one.contrast.where)),
            *(_verdict(one, metric) for metric in TESTS),
        )
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
            Cell(found.condition.model, _about(found, result.end_of_rates(found))),
            *(_value(found.values.get(metric)) for metric in TESTS),
        )
        for found in result.conditions
    )
    header = ("Model", *(TITLES[metric] for metric in TESTS))
    return Table("Simulated. Mean over the seeds, and its interval.", header, rows)


def _about(found: Found, end: str) -> tuple[str, ...]:
    one = found.condition
    seeds = f"{len(found.runs)} seeds" if len(found.runs) != 1 else "1 seed"
    about = f"{one.size}, {one.recipe}, equal {one.budget}, {seeds}"
    if not found.runs:
        return (about,)
    return about, f"learning rate {found.runs[0].rate:g}" + (f", the {end} tried" if end else "")


def _value(value: Estimate | None) -> Cell:
    if value is None or value.value is None:
        return Cell(ABSENT)
    return Cell(f"{value.value:.4f}", (_span(value),))


def _span(of: Estimate | Difference, sign: str = "") -> str:
    if of.low is None or of.high is None:
        return "no interval"
    return f"{of.low:{sign}.4f} to {of.high:{sign}.4f}"
