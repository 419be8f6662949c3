"""Click and purchase rates by sample space: of the own request, and of any channel within the window."""

from __future__ import annotations

from dataclasses import dataclass

from corank.samples.audit.rates import Rate, Share, rates
from corank.samples.audit.tables import TEST, Source

SPACES = ("exposed", "unexposed", "searchified")
"""Rows that were shown, those that were not, and those of pseudo requests."""

SPACE = "CASE WHEN NOT logged THEN 2 WHEN exposed THEN 0 ELSE 1 END"


@dataclass(frozen=True)
class SpaceRates:
    """The rows of one space in one split.

    Attributes:
        split, space: which.
        rows: how many.
        own_click, own_purchase: rows labelled by events that name their request.
        any_click, any_purchase: rows whose user did so in any channel, within the window.
    """

    split: str
    space: str
    rows: int
    own_click: Rate
    own_purchase: Rate
    any_click: Rate
    any_purchase: Rate


@dataclass(frozen=True)
class Spaces:
    """Rates by split and space; and of the last split, where what users clicked and bought stood.

    Attributes:
        rates: by split and space; those without rows are left out.
        clicks_unexposed, purchases_unexposed: of the rows clicked, bought in any channel, those not shown.
    """

    rates: tuple[SpaceRates, ...]
    clicks_unexposed: Rate
    purchases_unexposed: Rate


def spaces(source: Source) -> Spaces:
    """The rates of every split and space."""
    found = rates(
        source.connection,
        f"(SELECT *, {SPACE} AS space FROM listed)",
        {
            "own_click": Share("click"),
            "own_purchase": Share("purchase"),
            "any_click": Share("any_click"),
            "any_purchase": Share("any_purchase"),
        },
        by=("split", "space"),
    )
    last = TEST if source.cuts else 0
    elsewhere = rates(
        source.connection,
        f"(SELECT * FROM listed WHERE split = {last})",
        {
            "clicks": Share("NOT exposed", of="any_click"),
            "purchases": Share("NOT exposed", of="any_purchase"),
        },
    )[()]
    return Spaces(
        rates=tuple(
            SpaceRates(source.splits[split], SPACES[space], cell["own_click"].of, **cell)
            for (split, space), cell in found.items()
        ),
        clicks_unexposed=elsewhere["clicks"],
        purchases_unexposed=elsewhere["purchases"],
    )
