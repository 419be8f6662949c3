"""What is shown, and what is clicked once shown: by position, popularity and price."""

from __future__ import annotations

from dataclasses import dataclass

from corank.logs.summary import POSITIONS
from corank.samples.audit.rates import Rate, Share, rates
from corank.samples.audit.tables import TEST, Source


@dataclass(frozen=True)
class Place:
    """The rows shown at one position: how many of them were clicked in their own request."""

    position: int
    clicked: Rate


@dataclass(frozen=True)
class Decile:
    """A tenth of the test rows, from the lowest popularity or price.

    Attributes:
        decile: 1 to 10; those without rows are left out.
        low, high: the least and the greatest value.
        items: distinct items.
        exposed: rows that were shown.
        clicked: of these, rows clicked in their own request.
    """

    decile: int
    low: float
    high: float
    items: int
    exposed: Rate
    clicked: Rate


@dataclass(frozen=True)
class Exposure:
    """What the old ranker showed; deciles are empty where there is no split, or no price."""

    positions: tuple[Place, ...]
    popularity: tuple[Decile, ...]
    price: tuple[Decile, ...]


def exposure(source: Source) -> Exposure:
    """Positions over the test split (all requests where there are no cuts), deciles over its rows."""
    splits = f"split = {TEST}" if source.cuts else "true"
    places = rates(
        source.connection,
        f"(SELECT * FROM listed WHERE exposed AND {splits} AND position BETWEEN 1 AND {POSITIONS})",
        {"clicked": Share("click")},
        by=("position",),
    )
    return Exposure(
        positions=tuple(Place(int(key[0]), found["clicked"]) for key, found in places.items()),
        popularity=_deciles(source, "popularity") if source.cuts else (),
        price=_deciles(source, "price") if source.cuts and source.priced else (),
    )


def _deciles(source: Source, column: str) -> tuple[Decile, ...]:
    rows = f"(SELECT t.*, d.decile FROM tested t JOIN {column}_deciles d ON t.{column} = d.value)"
    found = rates(
        source.connection,
        rows,
        {"exposed": Share("exposed"), "clicked": Share("click", of="exposed")},
        by=("decile",),
    )
    spans = source.connection.execute(
        f"SELECT decile, min({column}), max({column}), count(DISTINCT item_id) FROM {rows}"
        " GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return tuple(
        Decile(
            int(decile),
            float(low),
            float(high),
            int(items),
            found[decile,]["exposed"],
            found[decile,]["clicked"],
        )
        for decile, low, high, items in spans
    )
