"""Matrices as pictures: one scale, rows and columns marked by the tokens that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure

from corank.explain.album import Matrix
from corank.explain.statistics import SPARSE
from corank.report.canvas import COLOURS, short

LIFT = LinearSegmentedColormap.from_list("lift", [COLOURS[0], "#ffffff", COLOURS[1]])
_DARK = "#f7f6f3"


@dataclass(frozen=True)
class Ticks:
    """What rows or columns stand for: neighbours of one name share one tick.

    Attributes:
        names: of each token.
        rows: of the matrix to a token.
    """

    names: Sequence[str]
    rows: float

    @property
    def runs(self) -> list[tuple[str, float, float]]:
        """Name, begin and end of each run of tokens of one name, in rows."""
        found, begin = [], 0.0
        for name, members in groupby(self.names):
            end = begin + len(list(members)) * self.rows
            found.append((name, begin - 0.5, end - 0.5))
            begin = end
        return found


def shares_scale(size: int) -> LogNorm:
    """Shares of a row of so many columns, from what counts as empty to all."""
    return LogNorm(1 / (SPARSE * size), 1, clip=True)


def draw_shares(axes: Axes, matrix: Matrix, scale: Normalize, ticks: Ticks | None, labelled: bool) -> None:
    """One matrix of shares, with faint lines between runs of tokens."""
    axes.imshow(
        np.abs(matrix).clip(1e-12), cmap="viridis", norm=scale, interpolation="nearest", aspect="equal"
    )
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    if ticks is None:
        return
    runs = ticks.runs
    for _, begin, _ in runs[1:]:
        axes.axhline(begin, color=_DARK, linewidth=0.5, alpha=0.8)
        axes.axvline(begin, color=_DARK, linewidth=0.5, alpha=0.8)
    if labelled:
        middles = [(begin + end) / 2 for _, begin, end in runs]
        axes.set_yticks(middles, [short(name, 22) for name, _, _ in runs], fontsize=7.5)
        axes.tick_params(length=0)


def colour_bar(figure: Figure, panels: Sequence[Axes], scale: LogNorm, size: int) -> None:
    """The scale of shares, with its three landmarks."""
    bar = figure.colorbar(ScalarMappable(scale, "viridis"), ax=list(panels), shrink=0.8, pad=0.02)
    bar.set_ticks([1 / (SPARSE * size), 1 / size, 1], labels=["empty", "even", "all"])
    bar.ax.minorticks_off()


def draw_lift(
    axes: Axes, values: Matrix, even: Matrix, rows: Sequence[str], columns: Sequence[str], text: bool
) -> None:
    """Shares coloured by their distance from even: white is even, full colour 4 times that, or a quarter."""
    lift = np.log2((values / even).clip(1e-9))
    axes.imshow(lift, cmap=LIFT, vmin=-2, vmax=2, interpolation="nearest", aspect="auto")
    axes.grid(visible=False)
    size = 8.5 if len(columns) <= 10 else 6.5
    axes.set_xticks(
        range(len(columns)), [short(name, 22) for name in columns], rotation=40, ha="right", fontsize=size
    )
    axes.set_yticks(range(len(rows)), [short(name, 26) for name in rows], fontsize=size)
    axes.tick_params(length=0)
    for row, column in np.ndindex(*values.shape) if text else ():
        strong = abs(lift[row, column]) > 1.4
        axes.text(
            column, row, f"{values[row, column]:.0%}", ha="center", va="center", fontsize=8.5,
            color="#ffffff" if strong else "#37352f",
        )  # fmt: skip


def lift_bar(figure: Figure, panels: Sequence[Axes]) -> None:
    """The scale of lifts."""
    bar = figure.colorbar(ScalarMappable(Normalize(-2, 2), LIFT), ax=list(panels), shrink=0.8, pad=0.02)
    bar.set_ticks([-2, -1, 0, 1, 2], labels=["1/4", "1/2", "even", "2 x", "4 x"])
