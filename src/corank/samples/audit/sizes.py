"""A log in numbers, by domain."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from corank.samples.audit.rates import Rate, plain

UNKNOWN = "unknown"
"""Where candidates name no request of the log, or a domain or action is null."""


@dataclass(frozen=True)
class DomainSize:
    """One domain: its requests, those with a list, the candidates of these, and of them the ones shown."""

    domain: str
    requests: int
    with_list: int
    candidates: int
    exposed: Rate


@dataclass(frozen=True)
class Sizes:
    """A log's domains, most requests first; and domain -> action -> events."""

    domains: tuple[DomainSize, ...]
    events: dict[str, dict[str, int]]


def sizes(connection: duckdb.DuckDBPyConnection) -> Sizes:
    """Count the tables of a log."""
    domains = connection.execute(f"""
        SELECT coalesce(r.domain, '{UNKNOWN}'), count(r.request_id), count(l.request_id),
            coalesce(sum(l.candidates), 0), coalesce(sum(l.exposed), 0)
        FROM requests r FULL JOIN lists l USING (request_id) GROUP BY 1 ORDER BY 2 DESC, 1""").fetchall()
    events: dict[str, dict[str, int]] = {}
    for domain, action, rows in connection.execute(f"""
        SELECT coalesce(domain, '{UNKNOWN}'), coalesce(action, '{UNKNOWN}'), count(*) FROM events
        GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2""").fetchall():
        events.setdefault(domain, {})[action] = int(rows)
    return Sizes(
        tuple(
            DomainSize(domain, int(requests), int(lists), int(rows), plain(int(shown), int(rows)))
            for domain, requests, lists, rows, shown in domains
        ),
        events,
    )
