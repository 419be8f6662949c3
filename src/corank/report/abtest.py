"""A simulated A/B test as one HTML page: how B differs from A, what all arms brought, the setup."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from matplotlib.figure import Figure

from corank.evaluation.abtest import MEASURES, NOTE, ABTest, Arm, Effect
from corank.evaluation.intervals import Difference, Estimate
from corank.files import whole_file
from corank.report.canvas import INK, colour, mark, picture
from corank.report.page import render
from corank.report.sections import ABSENT, Cell, Picture, Section, Table

DEFINITIONS = "What is simulated, and how to read it: docs/reference/abtest.md of corank."
TITLES = {"expected": "expected", "drawn": "as drawn"}


def write_abtest_page(test: ABTest, path: Path) -> None:
    """Write the page whole."""
    base, other = test.arms[:2]
    page = render(f"{other.name} against {base.name}", "simulated A/B test", _sections(test), DEFINITIONS)
    with whole_file(path) as aside:
        aside.write_text(page, encoding="utf-8")


def _sections(test: ABTest) -> list[Section]:
    setup = test.setup
    made = (
        f"{setup.requests:,} searches by {setup.users:,} users in the {setup.days} days after the log's end,"
        f" seeds {', '.join(map(str, setup.seeds))}; {setup.shown} of each list are shown. Both runs order"
        f" the same candidates by their score of the task {setup.task}."
    )
    intervals = (
        f"95 % intervals from {test.resamples:,} resamples of the users, paired; they say nothing about"
        " training again. A is the base of all differences."
    )
    facts = json.dumps(asdict(setup), indent=2, ensure_ascii=False)
    return [
        Section("effect", "In short", (NOTE, made, intervals), pictures=(_plot(test),)),
        Section("arms", "Arms", tables=tuple(_table(test, way) for way in test.arms[0].values)),
        Section("method", "How it was made", (NOTE,), details=(("Runs, log and seeds", facts),)),
    ]


def _plot(test: ABTest) -> Picture:
    """B's difference to A in percent."""
    other = test.arms[1]
    rows = [(way, measure, one.relative) for way, of in other.effects.items() for measure, one in of.items()]
    told = "; ".join(f"{measure}, {TITLES[way]}: {_percent(gap)}" for way, measure, gap in rows)
    return picture(
        "Simulated: B against A, per request",
        f"Dots with whiskers: the difference of B to A in percent. {told}",
        "Whiskers are 95 % intervals. Expected: on average over what chance decides, exactly; as drawn: users"
        " acted out, so whiskers hold their luck, too.",
        lambda canvas: _draw(canvas, other),
        size=(6.4, 1.1 + 0.34 * len(rows)),
    )


def _draw(canvas: Figure, arm: Arm) -> None:
    axes = canvas.subplots()
    labels: list[str] = []
    for measure in MEASURES:
        for number, (way, effects) in enumerate(arm.effects.items()):
            gap, place = effects[measure].relative, len(labels)
            labels.append(f"{measure}, {TITLES[way]}")
            if gap.value is None:
                continue
            if gap.low is not None and gap.high is not None:
                axes.plot([gap.low, gap.high], [place, place], color=colour(number), linewidth=1.6)
            axes.plot(gap.value, place, mark(number), color=colour(number), markersize=6)
    axes.axvline(0, color=INK, linewidth=0.9, linestyle=":")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlabel("difference of B to A, % (simulated)")
    axes.margins(x=0.08)


def _table(test: ABTest, way: str) -> Table:
    rows = []
    for arm in test.arms:
        cells = [_cell(arm.values[way][m], arm.effects[way][m] if arm.effects else None) for m in MEASURES]
        rows.append((Cell(arm.key, (arm.name,)), *cells, Cell(f"{arm.shared:.1%}")))
    caption = (
        f"Simulated, {TITLES[way]}, per request. Below each value its 95 % interval; then the difference to A"
        " in percent, with its own."
    )
    return Table(
        caption, ("Arm", *(m.capitalize() for m in MEASURES), "Shown items shared with A"), tuple(rows)
    )


def _cell(value: Estimate, effect: Effect | None) -> Cell:
    if value.value is None:
        return Cell(ABSENT)
    lines = () if value.low is None else (f"{value.low:.5f} to {value.high:.5f}",)
    if effect is None:
        return Cell(f"{value.value:.5f}", lines)
    gap = effect.relative
    sure = gap.low is not None and gap.high is not None and not gap.low <= 0 <= gap.high
    tone = "" if not sure else "better" if (gap.value or 0) > 0 else "worse"
    return Cell(f"{value.value:.5f}", (*lines, _percent(gap)), tone)


def _percent(gap: Difference) -> str:
    if gap.value is None:
        return ABSENT
    span = "" if gap.low is None or gap.high is None else f" ({gap.low:+.2f} to {gap.high:+.2f})"
    return f"{gap.value:+.2f} %{span}"
