"""What the learned matrices come to over training, as curves."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from corank.explain.result import Moment
from corank.report.canvas import colour, legend, mark, picture, short
from corank.report.sections import Picture


def mixing_curves(label: str, figures: Sequence[Moment]) -> Picture:
    """One line a layer for each figure."""
    names = list(dict.fromkeys(one.layer for one in figures))
    last = "; ".join(
        f"{one.layer}: sparsity {one.mixing.sparsity:.2f}, sources {one.mixing.sources:.1f}, "
        f"rank {one.mixing.rank:.1f}"
        for one in figures[len(figures) // len(names) - 1 :: len(figures) // len(names)]
    )
    return picture(
        f"{label}: sparsity, sources and effective rank over training",
        f"Line charts by step of the matrices between blocks; at the end {last}",
        "As the temperature falls, sparsity should rise and the sources of a row fall. Effective rank near "
        "the number of blocks: nothing is lost in mixing; near 1: all blocks come out alike.",
        lambda figure: _draw_curves(figure, figures, names),
        size=(9.2, 2.7),
    )


def _draw_curves(figure: Figure, figures: Sequence[Moment], names: Sequence[str]) -> None:
    titles = {"sparsity": "Sparsity", "sources": "Sources of a row", "rank": "Effective rank"}
    panels = list(figure.subplots(1, 3))
    for axes, (key, title) in zip(panels, titles.items(), strict=True):
        for number, name in enumerate(names):
            mine = [one for one in figures if one.layer == name]
            axes.plot(
                [one.step for one in mine],
                [getattr(one.mixing, key) for one in mine],
                color=colour(number),
                marker=mark(number),
                markersize=4,
                label=short(name),
            )
        axes.set(title=title, xlabel="Step")
        axes.set_ylim(bottom=0)
    legend(figure, panels[0])
