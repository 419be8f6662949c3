"""What a model never sees in training of what it will score."""

from __future__ import annotations

from dataclasses import dataclass

from corank.samples.audit.rates import Rate, Share, rates
from corank.samples.audit.tables import Source

BASES = ("exposed", "trained")
"""Items that training rows have: those that were shown; all of them (of a log: whole lists, the most that any
draw of unexposed items could reach)."""


@dataclass(frozen=True)
class Blind:
    """Test rows whose item is not among the training rows of a basis.

    Attributes:
        basis: one of `BASES`.
        candidates: of all test rows.
        exposed, unexposed: of those shown, of those not.
        clicks, purchases: of the rows clicked, bought in any channel within the window.
        deciles: of the rows of each decile of popularity (1 the least popular) that has rows.
    """

    basis: str
    candidates: Rate
    exposed: Rate
    unexposed: Rate
    clicks: Rate
    purchases: Rate
    deciles: dict[str, Rate]


def blind_spot(source: Source) -> tuple[Blind, ...]:
    """The blind spot of each basis, of a source that has cuts and deciles."""
    of = {
        "candidates": "true",
        "exposed": "exposed",
        "unexposed": "NOT exposed",
        "clicks": "any_click",
        "purchases": "any_purchase",
    }
    shares = {
        f"{basis} {name}": Share(f"NOT seen_{basis}", of=rows) for basis in BASES for name, rows in of.items()
    }
    whole = rates(source.connection, "tested", shares)[()]
    tenths = rates(
        source.connection,
        "(SELECT t.*, d.decile FROM tested t JOIN popularity_deciles d ON t.popularity = d.value)",
        {basis: Share(f"NOT seen_{basis}") for basis in BASES},
        by=("decile",),
    )
    return tuple(
        Blind(
            basis,
            **{name: whole[f"{basis} {name}"] for name in of},
            deciles={str(decile): cell[basis] for (decile,), cell in tenths.items()},
        )
        for basis in BASES
    )
