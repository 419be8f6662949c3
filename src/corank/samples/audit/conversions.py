"""Purchases that attribution to the last search click misses: where they happened, where the item stood."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from corank.samples.audit.rates import Rate, Share, rates
from corank.samples.audit.tables import Source, among, count

PLACES = ("credited", "exposed", "unexposed", "not_listed", "no_search")
"""What became of a purchase: a search click is credited with it; or a search of the window showed the item,
which was not clicked by then; or scored and did not show it; or had it in no list; or there was no search."""


@dataclass(frozen=True)
class DomainConversions:
    """The purchases that happened in one domain, by what became of them; `purchases` is their sum."""

    domain: str
    purchases: int
    credited: int
    exposed: int
    unexposed: int
    not_listed: int
    no_search: int


@dataclass(frozen=True)
class Conversions:
    """Purchases under the rule of the last search click.

    Attributes:
        hours: the window.
        domains: by the domain where they happened, most purchases first.
        missed: of all purchases those not credited.
        scored: of the missed ones, those whose item a search of the window had scored (exposed or unexposed).
        early: purchases whose window reaches back before the log's first search, where nothing is known.
    """

    hours: float
    domains: tuple[DomainConversions, ...]
    missed: Rate
    scored: Rate
    early: int


def conversions(source: Source) -> Conversions | None:
    """The purchases of a log; None if there are none."""
    connection, config = source.connection, source.config
    connection.execute(f"""
        CREATE TABLE bought AS
        SELECT row_number() OVER () AS c, user_id, item_id, epoch_us(timestamp) AS moment, domain FROM events
        WHERE {among("action", config.purchase_actions)}""")
    if not count(connection, "SELECT count(*) FROM bought"):
        return None
    _timelines(source)
    both = "b.user_id = t.user_id AND b.item_id = t.item_id"
    preceded = [
        f"c IN (SELECT c FROM bought b ASOF JOIN {table} t ON {same} AND b.moment > t.moment"
        f" WHERE b.moment <= t.asked + {config.window})"
        for table, same in (
            ("clicked", both), ("shown", both), ("hidden", both), ("searches", "b.user_id = t.user_id")
        )
    ]  # fmt: skip
    cases = " ".join(f"WHEN {condition} THEN {place}" for place, condition in enumerate(preceded))
    connection.execute(
        f"CREATE TABLE placed AS SELECT *, CASE {cases} ELSE {len(preceded)} END AS place FROM bought"
    )
    totals = rates(
        connection,
        "placed",
        {"missed": Share("place > 0"), "scored": Share("place <= 2", of="place > 0")},
        user="user_id",
    )[()]
    first = f"(SELECT min(moment) FROM searches) + {config.window}"
    return Conversions(
        hours=config.attribution_hours,
        domains=_domains(connection),
        missed=totals["missed"],
        scored=totals["scored"],
        early=count(connection, f"SELECT count(*) FROM bought WHERE moment < {first}"),
    )


def _timelines(source: Source) -> None:
    """What a purchase looks back at: whether any lies within the window, the latest before it tells."""
    connection, config = source.connection, source.config
    connection.execute(f"""
        CREATE TABLE searches AS
        SELECT request_id, user_id, epoch_us(timestamp) AS moment, epoch_us(timestamp) AS asked FROM requests
        WHERE {among("domain", config.domains)}""")
    connection.execute(f"""
        CREATE TABLE clicked AS
        SELECT user_id, item_id, moment,
            max(asked) OVER (PARTITION BY user_id, item_id ORDER BY moment) AS asked
        FROM (SELECT e.user_id, e.item_id, epoch_us(e.timestamp) AS moment, s.asked
              FROM events e JOIN searches s ON e.request_id = s.request_id AND e.user_id = s.user_id
              WHERE {among("e.action", config.click_actions)})""")
    connection.execute("""
        CREATE TABLE near AS
        SELECT s.user_id, c.item_id, s.moment, s.asked, coalesce(c.exposed, false) AS exposed
        FROM candidates c JOIN searches s USING (request_id)
        SEMI JOIN bought b ON b.user_id = s.user_id AND b.item_id = c.item_id""")
    for table, which in (("shown", "exposed"), ("hidden", "NOT exposed")):
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM near WHERE {which}")


def _domains(connection: duckdb.DuckDBPyConnection) -> tuple[DomainConversions, ...]:
    counts = ", ".join(f"count(*) FILTER (place = {index})" for index in range(len(PLACES)))
    found = connection.execute(
        f"SELECT coalesce(domain, 'unknown'), count(*), {counts} FROM placed GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    return tuple(DomainConversions(domain, *(int(value) for value in values)) for domain, *values in found)
