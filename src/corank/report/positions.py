"""Score against position: what the model thinks of each place, beside how often it was clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from corank.evaluation.arrays import Floats, ratio, sum_by
from corank.evaluation.predictions import Predictions
from corank.report.canvas import colour, legend, mark, picture, short
from corank.report.runs import Model
from corank.report.sections import Picture

LONGEST = 30
"""Places further down are left out."""


@dataclass(frozen=True)
class Places:
    """Mean score and click rate by place, from 1."""

    place: Floats
    score: Floats
    clicked: Floats


def positions_picture(models: Sequence[Model]) -> Picture | None:
    """One picture for all models; nothing where no prediction has a position."""
    found = [(model, by_place(model.predictions)) for model in models]
    found = [(model, places) for model, places in found if len(places.place)]
    if not found:
        return None
    first = found[0][1]
    return picture(
        "Mean score and click rate by position",
        f"Line chart over positions {first.place[0]:.0f} to {first.place[-1]:.0f}: the click rate goes from "
        f"{first.clicked[0]:.3f} to {first.clicked[-1]:.3f}, the mean score of {found[0][0].label} from "
        f"{first.score[0]:.3f} to {first.score[-1]:.3f}",
        "Bars that fall faster than the lines show places clicked for being high, not for what stood there: "
        "position is never an input of the model.",
        lambda figure: _draw(figure, found),
        size=(5.4, 5.0),
    )


def by_place(predictions: Predictions) -> Places:
    """Mean score and click rate of the exposed rows of each of the first places."""
    shown = predictions.exposed & (predictions.position >= 1) & (predictions.position <= LONGEST)
    place = predictions.position[shown]
    weight, score, clicked = (
        sum_by(place, values, LONGEST + 1)
        for values in (np.ones(len(place)), predictions.score[shown], predictions.click[shown])
    )
    seen = np.flatnonzero(weight)
    return Places(
        seen.astype(np.float64), ratio(score[seen], weight[seen]), ratio(clicked[seen], weight[seen])
    )


def _draw(figure: Figure, found: Sequence[tuple[Model, Places]]) -> None:
    axes = figure.subplots()
    first = found[0][1]
    axes.bar(first.place, first.clicked, color="#d9d6cf", width=0.8, label="observed click rate")
    for model, places in found:
        axes.plot(
            places.place,
            places.score,
            color=colour(model.number),
            marker=mark(model.number),
            markersize=4,
            label=short(model.label),
        )
    axes.set(xlabel="Position where it was shown", ylabel="Mean score, click rate")
    axes.grid(visible=False, axis="x")
    legend(figure, axes)
