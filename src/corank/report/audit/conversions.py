"""What the last search click misses, in a log."""

from __future__ import annotations

from corank.report.audit.cells import gaps
from corank.report.audit.stacks import stack
from corank.report.canvas import COLOURS, picture
from corank.report.sections import Cell, Section, Table
from corank.samples.audit import LogAudit
from corank.samples.audit.conversions import PLACES
from corank.samples.audit.finding import percent, spread

NAMES = (
    "credited to a search click",
    "missed: shown by a search",
    "missed: scored, not shown",
    "missed: not in a list",
    "missed: no search",
)
PAINT = (COLOURS[2], COLOURS[0], COLOURS[3], "#8a6d3b", "#8f8c85")
MOST = 8
"""Domains that are drawn."""


def conversions_section(audit: LogAudit) -> Section:
    """The flow of purchases, by domain."""
    found = audit.conversions
    notes = gaps(audit, "conversions")
    if found is None:
        return Section("conversions", "Conversions", notes)
    counts = {one.domain: [getattr(one, place) for place in PLACES] for one in found.domains}
    every = [sum(parts) for parts in zip(*counts.values(), strict=True)]
    drawn = {"all": every} | dict(list(counts.items())[:MOST])
    shown = picture(
        "Conversions under the rule of the last search click",
        "Stacked bars of all purchases and of those of each domain: "
        + "; ".join(f"{name} {count:,}" for name, count in zip(NAMES, every, strict=True)),
        "Green is what training on search clicks hears of. Blue and violet could be heard of: search had"
        " scored the item for this user within the window.",
        lambda figure: stack(figure, drawn, NAMES, PAINT),
        size=(6.4, 1.5 + 0.42 * len(drawn)),
    )
    rows = tuple(
        (Cell(domain), *(Cell(f"{count:,}", (percent(count / max(sum(parts), 1)),)) for count in parts))
        for domain, parts in (counts | {"all": every}).items()
    )
    header = (
        "Happened in",
        "Credited",
        "Shown, not clicked",
        "Scored, not shown",
        "Not in a list",
        "No search",
    )
    caption = (
        "Purchases by where they happened, and where the item stood in the user's searches of the"
        f" {found.hours:g} hours before."
    )
    notes = (
        f"{found.missed.count:,} of {found.missed.of:,} conversions are missed: {spread(found.missed)}. Of"
        f" those missed {spread(found.scored)} concern items that search had scored.",
        *notes,
    )
    return Section(
        "conversions", "Conversions", notes, tables=(Table(caption, header, rows),), pictures=(shown,)
    )
