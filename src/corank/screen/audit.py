"""An audit as tables: the findings, then what is behind them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from corank.samples.audit import Audit, LogAudit, Rate, SamplesAudit
from corank.samples.audit.conversions import PLACES
from corank.samples.audit.exposure import Decile
from corank.samples.audit.finding import percent, spread
from corank.screen.results import samples_parts
from corank.screen.tables import table

MOST_COLUMNS = 8
"""So many of the columns that moved most are shown."""


def audit_parts(audit: Audit) -> list[Table | str]:
    """Everything but what only the page and JSON hold."""
    parts: list[Table | str] = []
    parts += [_findings(audit)]
    parts += _of_log(audit) if isinstance(audit, LogAudit) else _of_samples(audit)
    parts += _exposure(audit)
    parts += [_spaces(audit)]
    parts += _blind_spot(audit)
    parts += _drift(audit)
    parts += [f"Note: {sentence}" for sentence in audit.absent.values()]
    return parts


def _findings(audit: Audit) -> str:
    simulated = ", of a simulated log" if audit.simulated else ""
    lines = [f"{audit.folder}{simulated}: worst first; brackets hold 95 % intervals over users", ""]
    for one in audit.findings:
        lines.append(f"{one.level:<6}{one.sentence}")
        lines += [f"      > {one.advice}"] if one.advice else []
    return "\n".join([*lines, ""])


def _of_log(audit: LogAudit) -> Iterator[Table]:
    yield table(
        "Domains",
        ["domain", "requests", "with a list", "candidates", "shown"],
        [
            [one.domain, one.requests, one.with_list, one.candidates, percent(one.exposed)]
            for one in audit.sizes.domains
        ],
    )
    if audit.conversions:
        yield table(
            f"Purchases under the rule of the last search click, {audit.conversions.hours:g} hours",
            [
                "happened in",
                "purchases",
                "credited",
                "missed: shown",
                "scored, not shown",
                "not in a list",
                "no search",
            ],
            [
                [one.domain, one.purchases, *(getattr(one, place) for place in PLACES)]
                for one in audit.conversions.domains
            ],
        )


def _of_samples(audit: SamplesAudit) -> Iterator[Table | str]:
    yield from samples_parts(audit.manifest)
    if audit.credits:
        yield table(
            "Purchases before validation",
            ["happened in", "fate", "credited by", "purchases"],
            [[one.domain, one.fate, one.credit, one.purchases] for one in audit.credits.table],
            left=3,
        )
    yield table(
        "Popularity of training samples and of test candidates",
        ["samples", "count", "mean decile", "distance"],
        [[one.group, one.samples, f"{one.mean_decile:.1f}", f"{one.distance:.2f}"] for one in audit.skew],
    )


def _exposure(audit: Audit) -> Iterator[Table]:
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


def _spaces(audit: Audit) -> Table:
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


def _blind_spot(audit: Audit) -> Iterator[Table]:
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


def _drift(audit: Audit) -> Iterator[Table]:
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
