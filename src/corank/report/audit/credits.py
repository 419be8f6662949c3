"""Who credits the purchases of the training period, in samples."""

from __future__ import annotations

from collections import Counter

from corank.report.audit.cells import gaps
from corank.report.audit.stacks import stack
from corank.report.canvas import COLOURS, picture
from corank.report.sections import Cell, Section, Table
from corank.samples.audit import SamplesAudit
from corank.samples.audit.finding import spread
from corank.samples.audit.ledger import CREDITS

NAMES = (
    "a search click",
    "its own request, unclicked",
    "only the hierarchy",
    "only a pseudo request",
    "nobody",
)
PAINT = (COLOURS[2], COLOURS[6], COLOURS[0], COLOURS[3], "#8f8c85")
MOST = 8
"""Domains that are drawn."""


def credits_section(audit: SamplesAudit) -> Section:
    """The flow of purchases, by domain."""
    found = audit.credits
    notes = gaps(audit, "credits")
    if found is None:
        return Section("conversions", "Conversions", notes)
    counts: dict[str, Counter[str]] = {}
    for one in found.table:
        counts.setdefault(one.domain, Counter())[one.credit] += one.purchases
    every: Counter[str] = sum(counts.values(), Counter())
    order = sorted(counts, key=lambda domain: (-counts[domain].total(), domain))[:MOST]
    drawn = {
        name: [parts[credit] for credit in CREDITS]
        for name, parts in {"all": every, **{domain: counts[domain] for domain in order}}.items()
    }
    shown = picture(
        "Purchases before validation, by who credits them",
        "Stacked bars of all purchases and of those of each domain: "
        + "; ".join(f"{name} {every[credit]:,}" for name, credit in zip(NAMES, CREDITS, strict=True)),
        "Green is what the last search click would credit too; blue and violet is what the recipe adds;"
        " grey labels nothing.",
        lambda figure: stack(figure, drawn, NAMES, PAINT),
        size=(6.4, 1.5 + 0.42 * len(drawn)),
    )
    words = dict(zip(CREDITS, NAMES, strict=True))
    rows = tuple(
        (Cell(f"{one.domain}, {one.fate}"), Cell(words[one.credit]), Cell(f"{one.purchases:,}"))
        for one in found.table
    )
    table = Table(
        "Purchases by domain and fate.", ("Domain, fate", "Credited by", "Purchases"), rows, folded=True
    )
    notes = (
        f"Of {found.labelled.of:,} purchases before validation {spread(found.labelled)} label a sample;"
        f" the last search click alone would credit {spread(found.last_search_click)}.",
        *notes,
    )
    return Section("conversions", "Conversions", notes, tables=(table,), pictures=(shown,))
