"""By layer: how sparse and how rich the mixing is, and the hidden states before and after it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from corank.explain import Explanation
from corank.explain.result import Layer, StateStatistics
from corank.report.canvas import COLOURS, picture
from corank.report.sections import ABSENT, Cell, Picture, Section, Table

Named = Sequence[tuple[str, Explanation]]
"""Explanations with the labels of their models."""

HEADER = (
    "Layer", "Matrix", "Sparsity", "Sources of a row", "Effective rank", "Kept", "Inside blocks, kept",
    "States before", "States after",
)  # fmt: skip


def layers_section(named: Named) -> Section | None:
    """A table of all layers and a picture of their hidden states; nothing where no model mixes."""
    mixed = [(label, one) for label, one in named if one.layers]
    if not mixed:
        return None
    read = [one for _, one in mixed if one.requests]
    notes = tuple(
        f"{label}: hidden states of {one.samples:,} samples, {one.requests:,} requests, split {one.split}."
        for label, one in mixed
        if one.requests
    )
    rows = tuple(row for label, one in mixed for row in _rows(label if len(mixed) > 1 else "", one))
    caption = (
        "Kept weights. Hidden states: effective rank of all token vectors, that of a sample's, concentration."
    )
    pictures = tuple(_picture(label, one) for label, one in mixed if one.requests) if read else ()
    table = Table(caption, HEADER, rows)
    return Section("layers", "Sparsity and effective rank by layer", notes, (table,), pictures)


def _rows(label: str, one: Explanation) -> list[tuple[Cell, ...]]:
    rows = []
    for layer in one.layers:
        name = f"{label}, {layer.name}" if label else layer.name
        of = (f"{layer.size:,} x {layer.size:,}", f"{layer.unit}") if layer.size else ()
        cells = [Cell(name, (layer.path,)), Cell(layer.kind, of)]
        mixing = layer.mixing
        if mixing is None:
            cells += [Cell(ABSENT)] * 4
        else:
            even = (f"of {layer.size:,}",)
            cells += [
                Cell(f"{mixing.sparsity:.1%}"),
                Cell(f"{mixing.sources:.1f}", even),
                Cell(f"{mixing.rank:.1f}", even),
                Cell(f"{mixing.kept:.1%}"),
            ]
        cells.append(Cell(ABSENT if layer.local is None else f"{layer.local.kept:.1%}"))
        rows.append((*cells, _states(layer.before), _states(layer.after)))
    return rows


def _states(states: StateStatistics | None) -> Cell:
    if states is None:
        return Cell(ABSENT)
    lines = [f"{states.rank_in_sample:.1f} of {min(states.tokens, states.width)} in a sample"]
    if states.concentration is not None:
        lines.append(f"concentration {states.concentration:.2f}")
    return Cell(f"{states.rank:.1f} of {states.width}", tuple(lines))


def _picture(label: str, one: Explanation) -> Picture:
    layers = [layer for layer in one.layers if layer.before and layer.after]
    text = "; ".join(
        f"{layer.name} {layer.before.rank:.1f} to {layer.after.rank:.1f}"
        for layer in layers
        if layer.before and layer.after
    )
    return picture(
        f"{label}: hidden states before and after mixing",
        f"Effective rank of hidden states before and after the mixing of {len(layers)} layers: {text}",
        "From the ring (before) to the dot (after); 1 is the most that there can be. To the left: the states "
        "fill fewer directions, or the tokens of a sample become more alike.",
        lambda figure: _draw(figure, layers),
        size=(7.0, 1.4 + 0.42 * len(layers)),
    )


def _draw(figure: Figure, layers: Sequence[Layer]) -> None:
    panels = figure.subplots(1, 2, sharey=True)
    titles = ("All token vectors, share of width", "Tokens of a sample, share of the most")
    for axes, title, panel in zip(panels, titles, range(2), strict=True):
        for place, layer in enumerate(layers):
            assert layer.before is not None
            assert layer.after is not None
            ends = [_fraction(states)[panel] for states in (layer.before, layer.after)]
            axes.annotate(
                "", (ends[1], place), (ends[0], place), arrowprops={"arrowstyle": "->", "color": "#8f8c85"}
            )
            axes.plot(ends[0], place, "o", color=COLOURS[0], fillstyle="none", markersize=7)
            axes.plot(ends[1], place, "o", color=COLOURS[0], markersize=6)
        axes.set_title(title, fontsize=9)
        axes.set_xlim(0, 1.03)
        axes.set_ylim(len(layers) - 0.5, -0.5)
        axes.set_yticks(range(len(layers)), [layer.name for layer in layers])


def _fraction(states: StateStatistics) -> tuple[float, float]:
    return states.rank / states.width, states.rank_in_sample / min(states.tokens, states.width)
