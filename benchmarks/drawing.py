"""What the figures of docs/images share: dots with whiskers, and files that do not change by themselves."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

IMAGES = Path(__file__).parent.parent / "docs" / "images"


def set_up() -> None:
    """Text as text, and the same bytes from the same figures."""
    mpl.rcParams.update({"svg.hashsalt": "corank", "font.size": 10, "svg.fonttype": "none"})
    IMAGES.mkdir(parents=True, exist_ok=True)


def dot(
    axes: Axes,
    y: float,
    value: float,
    ends: tuple[float, float] | None,
    colour: str,
    label: str | None = None,
    mark: str = "o",
    size: float = 8,
) -> None:
    """A value at height `y`, with its interval if it is known."""
    if ends:
        axes.plot(ends, [y, y], color=colour, linewidth=0.3 * size, solid_capstyle="round")
    axes.plot(value, y, mark, color=colour, markersize=size, label=label, linestyle="none")


def bare(axes: Axes) -> None:
    """No frame but the axis below."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def save(figure: Figure, name: str) -> None:
    """Write the figure to docs/images."""
    figure.savefig(IMAGES / name, metadata={"Date": None})
