"""What is shown, and what is clicked once shown."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from corank.report.audit.cells import GREY, bars, gaps, share, starts, ticks
from corank.report.canvas import COLOURS, picture
from corank.report.sections import Cell, Picture, Section, Table
from corank.samples.audit import Audit
from corank.samples.audit.exposure import Decile
from corank.samples.audit.finding import percent

NAMES = {
    "popularity": "earlier clicks of the item",
    "price": "price",
}

TIES = "Deciles of the test candidates; where many have one value, one bar stands for several."


def exposure_section(audit: Audit) -> Section:
    """Pictures of position, popularity and price, and the tables behind them."""
    found = audit.exposure
    pictures, tables = [], []
    for name, deciles in (("popularity", found.popularity), ("price", found.price)):
        if deciles:
            pictures.append(_deciles(name, deciles))
            tables.append(_table(name, deciles))
    if found.positions:
        pictures.append(_positions(audit))
    return Section(
        "exposure",
        "What is shown",
        gaps(audit, "exposure.positions", "exposure.price"),
        tables=tuple(tables),
        pictures=tuple(pictures),
    )


def _deciles(name: str, deciles: Sequence[Decile]) -> Picture:
    """Two panels; one where everything was shown."""
    first, last = deciles[0], deciles[-1]
    clicked = f"the click rate of those shown from {percent(first.clicked)} to {percent(last.clicked)}"
    if all(one.exposed.rate == 1 for one in deciles):
        return picture(
            f"Clicked once shown, by {name}",
            f"Bars by decile of {name}: {clicked}",
            f"Every candidate was shown. {TIES}",
            lambda figure: _draw_clicked(figure.subplots(), name, deciles),
            size=(5.4, 3.0),
        )
    return picture(
        f"Shown, and clicked once shown, by {name}",
        f"Bars by decile of {name}: the share of candidates that was shown goes from"
        f" {percent(first.exposed)} to {percent(last.exposed)}, {clicked}",
        "If the upper bars rise far more than the lower ones, the ranker shows by more than what users click"
        f" on. {TIES}",
        lambda figure: _draw(figure, name, deciles),
        size=(5.4, 4.4),
    )


def _draw(figure: Figure, name: str, deciles: Sequence[Decile]) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True)
    bars(upper, [one.exposed for one in deciles], COLOURS[0])
    upper.set_ylabel("Shown, %")
    _draw_clicked(lower, name, deciles)


def _draw_clicked(axes: Axes, name: str, deciles: Sequence[Decile]) -> None:
    bars(axes, [one.clicked for one in deciles], COLOURS[1])
    axes.set_ylabel("Clicked once shown, %")
    ticks(axes, starts(deciles), f"{NAMES[name].capitalize()}: the bar begins at")


def _table(name: str, deciles: Sequence[Decile]) -> Table:
    rows = tuple(
        (
            Cell(f"Decile {one.decile}", (f"{one.low:,.6g} to {one.high:,.6g}",)),
            Cell(f"{one.items:,}"),
            share(one.exposed),
            share(one.clicked),
        )
        for one in deciles
    )
    caption = f"Test candidates by {NAMES[name]}."
    return Table(caption, ("Decile", "Items", "Shown", "Clicked once shown"), rows, folded=True)


def _positions(audit: Audit) -> Picture:
    places = audit.exposure.positions
    return picture(
        "Click rate by position",
        f"Bars by position: the click rate goes from {percent(places[0].clicked)} at position"
        f" {places[0].position} to {percent(places[-1].clicked)} at position {places[-1].position}",
        "The fall is partly the ranker's merit, and partly that fewer people look further down.",
        lambda figure: _draw_positions(figure, audit),
        size=(5.4, 3.2),
    )


def _draw_positions(figure: Figure, audit: Audit) -> None:
    places = audit.exposure.positions
    axes = figure.subplots()
    bars(axes, [place.clicked for place in places], GREY)
    axes.set_ylabel("Clicked, %")
    step = 1 if len(places) <= 15 else 2
    axes.set_xticks(range(0, len(places), step), [str(place.position) for place in places[::step]])
    axes.set_xlabel("Position")
