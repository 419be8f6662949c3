"""The metrics with their intervals, drawn across models; and by sample space and slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from corank.evaluation.compare import Compared
from corank.evaluation.metrics import LOWER_IS_BETTER
from corank.evaluation.spaces import NOTES
from corank.report.canvas import colour, mark, picture, short
from corank.report.headline import METRICS, TITLES, figure, span
from corank.report.runs import Model, mapping, number
from corank.report.sections import ABSENT, Cell, Picture, Section, Table

SLICE_METRICS = ("gauc", "logloss")


def metrics_section(evaluated: Sequence[Model], compared: Sequence[Compared]) -> Section:
    """Dots with whiskers for the headline's metrics, and tables of spaces and slices."""
    pictures = (_dots(evaluated, compared),) if compared else ()
    measured = [model for model in evaluated if model.evaluation]
    tables = tuple(table for metric in SLICE_METRICS if (table := _table(measured, metric)))
    notes = (
        tuple(f"{name.replace('_', ' ').capitalize()}: {text}" for name, text in NOTES.items())
        if tables
        else ()
    )
    return Section("metrics", "Metrics", notes, tables, pictures)


def _dots(models: Sequence[Model], compared: Sequence[Compared]) -> Picture:
    height = 2 * (0.75 + 0.3 * len(models)) + 0.3
    values = [
        f"{model.label} {figure(one.values['gauc'].value)} ({span(one.values['gauc'])})"
        for model, one in zip(models, compared, strict=True)
        if one.values["gauc"].value is not None
    ]
    return picture(
        "Metrics with 95 % intervals, exposed rows of the test split",
        f"Dots with whiskers for {len(METRICS)} metrics and {len(models)} models; GAUC: " + "; ".join(values),
        "Whiskers are 95 % intervals of each model alone; models share their requests, so whiskers may "
        "overlap although the difference in the first table is sure.",
        lambda canvas: _draw(canvas, models, compared),
        size=(9.2, height),
    )


def _draw(canvas: Figure, models: Sequence[Model], compared: Sequence[Compared]) -> None:
    panels = canvas.subplots(2, 3, sharey=True).flat
    for axes, metric in zip(panels, METRICS, strict=True):
        for place, (model, one) in enumerate(zip(models, compared, strict=True)):
            estimate = one.values[metric]
            if estimate.value is None:
                continue
            if estimate.low is not None and estimate.high is not None:
                axes.plot(
                    [estimate.low, estimate.high], [place, place], color=colour(model.number), linewidth=1.6
                )
            axes.plot(estimate.value, place, mark(model.number), color=colour(model.number), markersize=6)
        if metric == "calibration":
            axes.axvline(1, color="#8f8c85", linewidth=0.9, linestyle=":")
        sense = (
            "1 is right"
            if metric == "calibration"
            else "lower is better"
            if metric in LOWER_IS_BETTER
            else ""
        )
        axes.set_title(TITLES[metric] + (f", {sense}" if sense else ""))
        axes.set_yticks(range(len(models)), [short(model.label) for model in models])
        axes.set_ylim(len(models) - 0.4, -0.6)
        axes.locator_params(axis="x", nbins=4)
        axes.margins(x=0.12)


def _table(models: Sequence[Model], metric: str) -> Table | None:
    """One metric of every model (its first run), by sample space and slice, where it is defined."""
    places = dict.fromkeys(
        (space, name)
        for model in models
        for space, slices in mapping(model.evaluation.get("metrics")).items()
        for name in mapping(slices)
    )
    rows = []
    for space, name in places:
        cells = [_estimate(_inside(model.evaluation, "metrics", space, name, metric)) for model in models]
        if any(cell.text != ABSENT for cell in cells):
            size = number(_inside(models[0].evaluation, "sizes", space, name).get("rows"))
            label = Cell(f"{space}, {name}", () if size is None else (f"{size:,.0f} rows",))
            rows.append((label, *cells))
    if not rows:
        return None
    header = ("Space, slice", *(model.label for model in models))
    seeds = ", first seed of each model" if any(len(model.runs) > 1 for model in models) else ""
    caption = f"{TITLES[metric]} by sample space and slice{seeds}."
    return Table(caption, header, tuple(rows), folded=metric != SLICE_METRICS[0])


def _inside(value: Any, *keys: str) -> dict[str, Any]:
    """The mapping below some keys of what was read from a file."""
    for key in keys:
        value = mapping(value).get(key)
    return mapping(value)


def _estimate(estimate: dict[str, Any]) -> Cell:
    """The cell of an estimate from a file."""
    value, low, high = (number(estimate.get(key)) for key in ("value", "low", "high"))
    if value is None:
        return Cell(ABSENT)
    interval = () if low is None or high is None else (f"{figure(low)} to {figure(high)}",)
    return Cell(figure(value), interval)
