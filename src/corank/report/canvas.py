"""How every figure of the report is drawn: one style, SVG inside the page, the same bytes each time."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from corank.report.sections import Picture

COLOURS = ("#0b6e99", "#d9730d", "#448361", "#9065b0", "#c14c8a", "#8a6d3b", "#5b6470")
"""Told apart by people with the usual colour blindnesses when used in this order."""
MARKS = ("o", "s", "^", "D", "v", "P", "X")
INK, FAINT = "#37352f", "#e4e2dd"

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#b5b2ab",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "text.parse_math": False,  # names from outside may hold a dollar sign
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "corank",
    "figure.constrained_layout.use": True,
}
_INCH = 96


def picture(
    title: str, alt: str, aid: str, draw: Callable[[Figure], None], size: tuple[float, float] = (5.4, 3.4)
) -> Picture:
    """Draw on an empty figure of `size` inches."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size)
        draw(figure)
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    source = "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return Picture(title, source, alt, aid, round(size[0] * _INCH))


def colour(number: int) -> str:
    """Colour of the model of that number."""
    return COLOURS[number % len(COLOURS)]


def mark(number: int) -> str:
    """Marker of the model of that number."""
    return MARKS[number % len(MARKS)]


def legend(figure: Figure, axes: Axes) -> None:
    """The entries of `axes` above the figure, where there are several."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="outside upper left", ncols=2, fontsize=8.5)


def short(name: str, longest: int = 28) -> str:
    """A name that fits a figure."""
    return name if len(name) <= longest else name[: longest - 1] + "…"
