"""Calibration: what was predicted against what happened, in bins of equally many rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from corank.evaluation.predictions import Predictions
from corank.evaluation.probabilities import Calibration, calibration
from corank.evaluation.spaces import space
from corank.report.canvas import colour, legend, mark, picture, short
from corank.report.runs import Model
from corank.report.sections import Picture

BINS = 15


def reliability_picture(models: Sequence[Model]) -> Picture | None:
    """One picture for all models: reliability above, the spread of the scores below."""
    tables = [
        (model, part, calibration(part.score, part.click, part.weight, bins=BINS))
        for model in models
        if (part := space(model.predictions, "exposed")).rows
    ]
    return _picture(tables) if tables else None


def _picture(tables: Sequence[tuple[Model, Predictions, Calibration]]) -> Picture:
    values = "; ".join(
        f"{model.label}: predicted over observed {table.ratio:.3f}, expected error {table.error:.4f}"
        for model, _, table in tables
    )
    return picture(
        "Calibration on exposed rows",
        f"Reliability diagram with a histogram of the scores below. {values}",
        "Points on the diagonal are right; above it the model predicts too few clicks, below it too many.",
        lambda figure: _draw(figure, tables),
        size=(5.4, 5.0),
    )


def _draw(figure: Figure, tables: Sequence[tuple[Model, Predictions, Calibration]]) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    scores = np.concatenate([part.score for _, part, _ in tables])
    top = 1.08 * max(max(table.predicted.max(), table.observed.max()) for _, _, table in tables) + 1e-6
    edges = np.linspace(0, min(1.0, max(top, float(np.quantile(scores, 0.999)))), 41)
    upper.plot([0, 1], [0, 1], color="#8f8c85", linewidth=1, linestyle="--")
    for model, part, table in tables:
        upper.plot(
            table.predicted, table.observed, color=colour(model.number), marker=mark(model.number),
            markersize=5, linewidth=1.2, label=short(model.label),
        )  # fmt: skip
        share = np.histogram(part.score, edges)[0] / part.rows
        lower.stairs(share, edges, color=colour(model.number), fill=len(tables) == 1, linewidth=1.3)
    upper.set(xlim=(0, edges[-1]), ylim=(0, top), ylabel="Share clicked")
    lower.set(xlabel="Predicted probability of a click", ylabel="Share of rows")
    legend(figure, upper)
