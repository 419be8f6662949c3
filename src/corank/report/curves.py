"""Training curves: loss of the steps, smoothed, and the validation metric with the best step marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from corank.evaluation.arrays import Floats
from corank.report.canvas import colour, legend, mark, picture, short
from corank.report.runs import Model, mapping, number, read_steps
from corank.report.sections import Section


@dataclass(frozen=True)
class _Curve:
    number: int
    label: str
    loss: Floats
    """[points, 2] step and training loss."""
    valid: Floats
    """[points, 2] step and validation metric."""
    best: float | None
    """Step of the best weights."""


def training_section(models: Sequence[Model]) -> Section:
    """Curves of the first run of each model."""
    names = [_best_metric(model) for model in models]
    metric = next((name for name in names if name), "gauc")
    curves = [_curve(model, metric) for model in models]
    curves = [curve for curve in curves if len(curve.loss)]
    if not curves:
        return Section("training", "Training", ("No run here has a log of steps.",))
    notes = ("Of a model with several seeds, the first is drawn.",) if _several(models) else ()
    loss = picture(
        "Training loss",
        f"Line chart of the smoothed training loss by step for {len(curves)} models; last values: "
        + "; ".join(f"{curve.label} {curve.loss[-1, 1]:.4f}" for curve in curves),
        "Lower is better; a line that still falls at its end might gain from more steps, and one that jumps "
        "about from a lower learning rate.",
        lambda figure: _draw_loss(figure, curves),
    )
    valid = [curve for curve in curves if len(curve.valid)]
    if not valid:
        return Section("training", "Training", notes, pictures=(loss,))
    best = "; ".join(f"{curve.label} at step {curve.best:.0f}" for curve in valid if curve.best is not None)
    chart = picture(
        f"Validation {metric}",
        f"Line chart of the validation {metric} by step for {len(valid)} models"
        + (f"; best: {best}" if best else ""),
        "The ring marks the step whose weights were kept; a line that turns for the worse after it shows "
        "overfitting.",
        lambda figure: _draw_valid(figure, valid, metric),
    )
    return Section("training", "Training", notes, pictures=(loss, chart))


def _curve(model: Model, metric: str) -> _Curve:
    steps = read_steps(model.runs[0].folder)
    return _Curve(
        number=model.number,
        label=short(model.label),
        loss=_points(steps, "step", "loss"),
        valid=_points(steps, "valid", metric),
        best=number(model.runs[0].run.get("best_step")),
    )


def _points(steps: Sequence[dict[str, Any]], kind: str, key: str) -> Floats:
    pairs = [(number(line.get("step")), number(line.get(key))) for line in steps if line.get("kind") == kind]
    return np.array([pair for pair in pairs if None not in pair], dtype=np.float64).reshape(-1, 2)


def _smooth(values: Floats) -> Floats:
    """Centred mean over about a twentieth of the curve, narrower at its ends."""
    half = max(1, len(values) // 40)
    totals = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(len(values))
    reach = np.minimum(half, np.minimum(at, len(values) - 1 - at))
    return np.asarray((totals[at + reach + 1] - totals[at - reach]) / (2 * reach + 1), dtype=np.float64)


def _draw_loss(figure: Figure, curves: Sequence[_Curve]) -> None:
    axes = figure.subplots()
    for curve in curves:
        step, loss = curve.loss.T
        axes.plot(step, loss, color=colour(curve.number), alpha=0.18, linewidth=0.8)
        axes.plot(step, _smooth(loss), color=colour(curve.number), linewidth=1.8, label=curve.label)
    smooth = np.concatenate([_smooth(curve.loss[:, 1]) for curve in curves])
    low, high = np.quantile(smooth, [0, 0.99])
    axes.set_ylim(low - 0.1 * (high - low) - 1e-6, high + 0.15 * (high - low) + 1e-6)
    axes.set(xlabel="Step", ylabel="Loss (mean of a batch)")
    legend(figure, axes)


def _draw_valid(figure: Figure, curves: Sequence[_Curve], metric: str) -> None:
    axes = figure.subplots()
    for curve in curves:
        step, value = curve.valid.T
        axes.plot(
            step,
            value,
            color=colour(curve.number),
            marker=mark(curve.number),
            markersize=4,
            label=curve.label,
        )
        at = step == curve.best
        axes.plot(step[at], value[at], "o", color=colour(curve.number), markersize=12, fillstyle="none")
    axes.set(xlabel="Step", ylabel=metric)
    legend(figure, axes)


def _best_metric(model: Model) -> str | None:
    name = mapping(model.runs[0].run.get("best_metric")).get("name")
    return name if isinstance(name, str) else None


def _several(models: Sequence[Model]) -> bool:
    return any(len(model.runs) > 1 for model in models)
