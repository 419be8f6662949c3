"""Shares of several totals as stacked bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from corank.report.canvas import short

WIDE = 0.055
"""A part of a bar that is at least so long has room for its number."""


def stack(
    figure: Figure, bars: Mapping[str, Sequence[int]], parts: Sequence[str], colours: Sequence[str]
) -> None:
    """One bar a total, from top to bottom; each part with its count where there is room.

    Args:
        bars: name -> the counts of its parts.
        parts, colours: names and colours of the parts.
    """
    axes = figure.subplots()
    totals = [sum(counts) for counts in bars.values()]
    starts = [0.0] * len(bars)
    for index, (part, colour) in enumerate(zip(parts, colours, strict=True)):
        counts = [counts[index] for counts in bars.values()]
        widths = [100 * count / max(total, 1) for count, total in zip(counts, totals, strict=True)]
        axes.barh(range(len(bars)), widths, left=starts, color=colour, label=part, height=0.68)
        for place, (count, width) in enumerate(zip(counts, widths, strict=True)):
            if width >= 100 * WIDE:
                axes.text(
                    starts[place] + width / 2,
                    place,
                    f"{count:,}",
                    ha="center",
                    va="center",
                    color="white",
                    fontsize=8.5,
                )
        starts = [start + width for start, width in zip(starts, widths, strict=True)]
    names = [f"{short(name, 18)} ({total:,})" for name, total in zip(bars, totals, strict=True)]
    axes.set_yticks(range(len(bars)), names)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set(xlim=(0, 100), xlabel="Share, %")
    axes.grid(visible=False, axis="y")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2, fontsize=8.5)
