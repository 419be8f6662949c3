"""What a model never sees in training of what it will score."""

from __future__ import annotations

from matplotlib.figure import Figure

from corank.report.audit.cells import bars, gaps, share, starts, ticks
from corank.report.canvas import COLOURS, legend, picture
from corank.report.sections import Cell, Section, Table
from corank.samples.audit import Audit, LogAudit
from corank.samples.audit.finding import percent


def blind_spot_section(audit: Audit) -> Section:
    """Test candidates whose item training has not, by popularity and by what became of them."""
    if not audit.blind_spot:
        return Section("blind", "The blind spot", gaps(audit, "drift"))
    names = _names(audit)
    rows = tuple(
        (
            Cell(name),
            *(
                share(rate)
                for rate in (one.candidates, one.exposed, one.unexposed, one.clicks, one.purchases)
            ),
        )
        for name, one in zip(names, audit.blind_spot, strict=True)
    )
    header = (
        "Not among",
        "Test candidates",
        "Shown",
        "Not shown",
        "Clicked, any channel",
        "Bought, any channel",
    )
    caption = "Test candidates whose item is not among the training rows named at the left."
    whole = audit.blind_spot[0].candidates
    shown = picture(
        "Test candidates never seen in training, by popularity",
        "Bars by decile of popularity, for "
        + " and ".join(names)
        + f"; over all candidates {percent(whole)} with the first",
        "Where a bar is high, the model scores items of which it knows attributes at best.",
        lambda figure: _draw(figure, audit, names),
        size=(6.4, 3.4),
    )
    return Section("blind", "The blind spot", tables=(Table(caption, header, rows),), pictures=(shown,))


def _names(audit: Audit) -> tuple[str, str]:
    whole = "whole lists of training requests" if isinstance(audit, LogAudit) else "all training samples"
    return "exposed training rows", whole


def _draw(figure: Figure, audit: Audit, names: tuple[str, str]) -> None:
    axes = figure.subplots()
    for number, (name, one) in enumerate(zip(names, audit.blind_spot, strict=True)):
        bars(
            axes,
            list(one.deciles.values()),
            COLOURS[number],
            f"not among {name}",
            shift=0.4 * number - 0.2,
            width=0.38,
        )
    axes.set_ylabel("Never seen, %")
    ticks(axes, starts(audit.exposure.popularity), "Earlier clicks of the item: the bars begin at")
    legend(figure, axes)
