"""Purchases of the training period in the ledger of samples: who would have credited them."""

from __future__ import annotations

from dataclasses import dataclass

from corank.samples.attribution import PURCHASE_TIERS
from corank.samples.audit.rates import Rate, Share, rates
from corank.samples.audit.tables import Source, among, microseconds

CREDITS = ("last_search_click", "own_request", "hierarchy", "searchified", "nobody")
"""Who credits a purchase: a search click before it, as the last-search-click rule would; only the request
that it names; only the hierarchy, with a sample that was not clicked; only a pseudo request; nobody."""


@dataclass(frozen=True)
class Credit:
    """The purchases that happened in one domain with one fate, by who credits them."""

    domain: str
    fate: str
    credit: str
    purchases: int


@dataclass(frozen=True)
class Credits:
    """The purchases before validation begins.

    Attributes:
        table: by domain, fate and credit.
        last_search_click: of all those, the ones that the last-search-click rule would credit.
        labelled: those that label a sample.
    """

    table: tuple[Credit, ...]
    last_search_click: Rate
    labelled: Rate


def credited(source: Source, purchase_actions: tuple[str, ...]) -> Credits | None:
    """The purchases of samples' ledger; None if training has none."""
    assert source.cuts is not None
    own = f"fate = 'labels' AND {among('action', source.config.click_actions)}"
    source.connection.execute(f"""
        CREATE TABLE purchases AS
        WITH before AS (SELECT *, epoch_us(timestamp) AS moment FROM ledger
            WHERE epoch_us(timestamp) < {microseconds(source.cuts.valid_from)}),
        clicked AS (SELECT labelled_request_id, item_id, min(moment) AS clicked_at FROM before
            WHERE {own} GROUP BY ALL),
        made AS (SELECT DISTINCT user_id, request_id, item_id FROM before WHERE fate = 'searchified')
        SELECT b.user_id, coalesce(b.domain, 'unknown') AS domain, b.fate, CASE
            WHEN b.fate = '{PURCHASE_TIERS["clicked"]}' THEN 0
            WHEN b.fate = 'labels' AND c.clicked_at < b.moment THEN 0
            WHEN b.fate = 'labels' THEN 1
            WHEN {among("b.fate", tuple(PURCHASE_TIERS.values()))} THEN 2
            WHEN m.item_id IS NOT NULL THEN 3 ELSE 4 END AS credit
        FROM (SELECT * FROM before WHERE {among("action", purchase_actions)}) b
        LEFT JOIN clicked c USING (labelled_request_id, item_id)
        LEFT JOIN made m ON m.user_id = b.user_id AND m.request_id = b.request_id
            AND m.item_id = b.item_id""")
    found = source.connection.execute(
        "SELECT domain, fate, credit, count(*) FROM purchases GROUP BY ALL ORDER BY 1, 4 DESC, 2, 3"
    ).fetchall()
    if not found:
        return None
    shares = {"clicked": Share("credit = 0"), "labelled": Share("credit < 4")}
    totals = rates(source.connection, "purchases", shares, user="user_id")[()]
    return Credits(
        tuple(Credit(domain, fate, CREDITS[credit], int(rows)) for domain, fate, credit, rows in found),
        totals["clicked"],
        totals["labelled"],
    )
