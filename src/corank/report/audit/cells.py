"""What tables and figures of an audit have in common: shares, spans of deciles, sentences about gaps."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from corank.report.sections import ABSENT, Cell
from corank.samples.audit import Audit, Rate
from corank.samples.audit.exposure import Decile
from corank.samples.audit.finding import percent

GREY = "#b5b2ab"
WARM = "#d9730d"


def share(rate: Rate) -> Cell:
    """A share, its interval, and what it is a share of."""
    if rate.rate is None:
        return Cell(ABSENT, ("of none",))
    lines = () if rate.low is None else (f"{percent(rate.low)} to {percent(rate.high)}",)
    return Cell(percent(rate), (*lines, f"{rate.count:,} of {rate.of:,}"))


def gaps(audit: Audit, *figures: str) -> tuple[str, ...]:
    """The sentences about figures that are not there."""
    return tuple(audit.absent[figure] for figure in figures if figure in audit.absent)


def starts(deciles: Sequence[Decile]) -> list[str]:
    """The least value of each decile, as an axis shows it."""
    return [_short(decile.low) for decile in deciles]


def _short(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:.3g}"


def bars(
    axes: Axes, rates: Sequence[Rate], colour: str, label: str = "", shift: float = 0.0, width: float = 0.8
) -> None:
    """Bars of shares in percent, with their intervals."""
    places = [place + shift for place in range(len(rates))]
    heights = [100 * (rate.rate or 0.0) for rate in rates]
    axes.bar(places, heights, width=width, color=colour, label=label or None)
    for place, rate in zip(places, rates, strict=True):
        if rate.low is not None and rate.high is not None:
            axes.plot([place, place], [100 * rate.low, 100 * rate.high], color="#37352f", linewidth=1.1)
    axes.grid(visible=False, axis="x")


def ticks(axes: Axes, labels: Sequence[str], title: str) -> None:
    """Names below bars."""
    axes.set_xticks(range(len(labels)), labels, fontsize=8.5)
    axes.set_xlabel(title)
