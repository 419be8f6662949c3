"""What changed between training and test."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from corank.report.audit.cells import WARM, gaps, share
from corank.report.canvas import COLOURS, legend, picture, short
from corank.report.sections import ABSENT, Cell, Picture, Section, Table
from corank.samples.audit import Audit
from corank.samples.audit.drift import Drift
from corank.samples.audit.finding import percent
from corank.samples.audit.shared_findings import DRIFT
from corank.samples.audit.stability import Moved

MOST = 14
"""Columns that are drawn."""


def drift_section(audit: Audit) -> Section:
    """Splits, newcomers, columns."""
    found = audit.drift
    if found is None:
        return Section("drift", "Drift", gaps(audit, "drift"))
    notes = (
        (f"Not compared (keys, lists, times, long texts): {', '.join(found.skipped)}.",)
        if found.skipped
        else ()
    )
    columns = sorted(
        found.columns, key=lambda one: (-max(one.drift or 0.0, one.gap or 0.0), one.level, one.column)
    )
    pictures = (_picture(columns[:MOST]),) if columns else ()
    tables = [_periods(found), _unseen(found)]
    if columns:
        tables.append(_columns(columns))
    return Section("drift", "Drift", notes, tables=tuple(tables), pictures=pictures)


def _periods(found: Drift) -> Table:
    rows = tuple(
        (
            Cell(one.split),
            Cell(f"{one.requests:,}"),
            Cell(f"{one.rows / max(one.requests, 1):.1f}"),
            Cell(f"{one.exposed / max(one.requests, 1):.1f}"),
            share(one.clicked),
        )
        for one in found.periods
    )
    header = ("Split", "Requests", "Rows a request", "Shown a request", "Clicked once shown")
    return Table("The splits.", header, rows)


def _unseen(found: Drift) -> Table:
    rows = tuple(
        (Cell(f"{one.what} not in training"), share(one.requests), share(one.candidates), share(one.clicks))
        for one in found.unseen
    )
    header = ("New", "Test requests", "Test candidates", "Test clicks")
    return Table(
        "What of the test split concerns items, users or queries that training has not.", header, rows
    )


def _columns(columns: Sequence[Moved]) -> Table:
    rows = tuple(
        (
            Cell(one.column, (one.level,)),
            Cell(_index(one.drift)),
            Cell(_index(one.chance)),
            Cell(_index(one.gap)),
            Cell(ABSENT if one.beyond is None else percent(one.beyond)),
        )
        for one in columns
    )
    header = ("Column", "Training to test", "By chance", "Trained on to scored", "Beyond training")
    caption = (
        "Population stability index of each column. Beyond training: test candidates with a value outside"
        " the range, or not among the values, of what a model trains on."
    )
    return Table(caption, header, rows, folded=True)


def _index(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.3f}"


def _picture(columns: Sequence[Moved]) -> Picture:
    return picture(
        "Columns that moved most",
        "Bars of the population stability index: "
        + "; ".join(f"{one.column} {_index(one.drift)} and {_index(one.gap)}" for one in columns[:5]),
        f"Below {DRIFT.watch:g} little changed, above {DRIFT.act:g} much. The first bar compares rows of"
        " one kind in training"
        " and in test: time alone. The second compares what a model trains on with what it will score:"
        " time and selection.",
        lambda figure: _draw(figure, columns),
        size=(6.4, 1.2 + 0.34 * len(columns)),
    )


def _draw(figure: Figure, columns: Sequence[Moved]) -> None:
    axes = figure.subplots()
    for shift, colour, label, values in (
        (-0.2, COLOURS[0], "from training to test", [one.drift or 0.0 for one in columns]),
        (0.2, WARM, "from what is trained on to what is scored", [one.gap or 0.0 for one in columns]),
    ):
        axes.barh(
            [place + shift for place in range(len(columns))], values, height=0.38, color=colour, label=label
        )
    for limit in (DRIFT.watch, DRIFT.act):
        axes.axvline(limit, color="#8f8c85", linewidth=0.9, linestyle=":")
    axes.set_yticks(range(len(columns)), [f"{short(one.column)} ({one.level})" for one in columns])
    axes.set_ylim(len(columns) - 0.4, -0.6)
    axes.set_xlim(0, max(0.3, 1.05 * max(max(one.drift or 0.0, one.gap or 0.0) for one in columns)))
    axes.set_xlabel("Population stability index")
    axes.grid(visible=False, axis="y")
    legend(figure, axes)
