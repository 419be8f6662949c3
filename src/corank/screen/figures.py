"""The figures that audits of logs and of samples have in common, as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from corank.samples.audit import Audit, LogAudit, Rate
from corank.samples.audit.exposure import Decile
from corank.samples.audit.finding import percent, spread
from corank.screen.tables import table

MOST_COLUMNS = 8
"""So many of the columns that moved most are shown."""


def exposure_tables(audit: Audit) -> Iterator[Table]:
    """Click rates by position, and deciles."""
    if audit.exposure.positions:
        places = audit.exposure.positions
        yield table(
            "Click rate by position",
            ["position", "shown", "clicked"],
            [[place.position, place.clicked.of, spread(place.clicked)] for place in places],
        )
    for name, deciles in (("earlier clicks", audit.exposure.popularity), ("price", audit.exposure.price)):
        if deciles:
            yield _deciles(name, deciles)


def _deciles(name: str, deciles: tuple[Decile, ...]) -> Table:
    return table(
        f"Test candidates by decile of {name}",
        ["decile", "from", "to", "items", "candidates", "shown", "clicked once shown"],
        [
            [
                one.decile,
                f"{one.low:,.6g}",
                f"{one.high:,.6g}",
                one.items,
                one.exposed.of,
                spread(one.exposed),
                spread(one.clicked),
            ]
            for one in deciles
        ],
    )


def spaces_table(audit: Audit) -> Table:
    """Rates by split and space."""

    def cells(*rates: Rate) -> list[str]:
        return [spread(rate) for rate in rates]

    return table(
        "Clicks and purchases by space: by events of the own request, and of any channel within the window",
        ["split", "space", "rows", "clicked, own", "clicked, any", "bought, own", "bought, any"],
        [
            [
                one.split,
                one.space,
                one.rows,
                *cells(one.own_click, one.any_click, one.own_purchase, one.any_purchase),
            ]
            for one in audit.spaces.rates
        ],
        left=2,
    )


def blind_spot_tables(audit: Audit) -> Iterator[Table]:
    """What training has not of what will be scored."""
    if audit.blind_spot:
        whole = "in no training list" if isinstance(audit, LogAudit) else "in no training sample"
        names = {"exposed": "shown in no training request", "trained": whole}
        yield table(
            "Test candidates whose item training has not",
            [
                "item is",
                "of all",
                "of those shown",
                "of those not shown",
                "of those clicked",
                "of those bought",
            ],
            [
                [
                    names[one.basis],
                    *(
                        spread(rate)
                        for rate in (one.candidates, one.exposed, one.unexposed, one.clicks, one.purchases)
                    ),
                ]
                for one in audit.blind_spot
            ],
        )


def drift_tables(audit: Audit) -> Iterator[Table]:
    """Newcomers, and the columns that moved most."""
    if audit.drift is None:
        return
    yield table(
        "Of the test split, what concerns",
        ["", "requests", "candidates", "clicks"],
        [
            [f"a new {one.what}", spread(one.requests), spread(one.candidates), spread(one.clicks)]
            for one in audit.drift.unseen
        ],
    )
    columns = sorted(audit.drift.columns, key=lambda one: (-max(one.drift or 0, one.gap or 0), one.column))
    if columns:
        yield table(
            "Population stability index of the columns that moved most",
            ["column", "level", "training to test", "by chance", "trained on to scored", "beyond training"],
            [
                [
                    one.column,
                    one.level,
                    _index(one.drift),
                    _index(one.chance),
                    _index(one.gap),
                    "" if one.beyond is None else percent(one.beyond),
                ]
                for one in columns[:MOST_COLUMNS]
            ],
            left=2,
        )


def _index(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
