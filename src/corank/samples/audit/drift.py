"""What changed between training and test: new items, users and queries, rates, and values of columns."""

from __future__ import annotations

from dataclasses import dataclass

from corank.samples.audit.rates import Rate, Share, rates
from corank.samples.audit.stability import Moved, moved
from corank.samples.audit.tables import TEST, TRAIN, Source

WHATS = ("item", "user", "query")


@dataclass(frozen=True)
class Period:
    """One split: logged requests, their rows, those shown, and the share of these clicked in the request."""

    split: str
    requests: int
    rows: int
    exposed: int
    clicked: Rate


@dataclass(frozen=True)
class Unseen:
    """What of the test split concerns items, users or queries that training has not.

    Attributes:
        what: `item`, `user` or `query`.
        requests: test requests; with any such item in the list, by such a user, with such a query.
        candidates: their rows.
        clicks: rows clicked in their own request.
    """

    what: str
    requests: Rate
    candidates: Rate
    clicks: Rate


@dataclass(frozen=True)
class Drift:
    """Training against test.

    Attributes:
        periods: each split in numbers.
        unseen: items, users, queries that training has not.
        columns: by how much the values of each column moved.
        skipped: columns that are not compared: of other kinds, or with too many values.
    """

    periods: tuple[Period, ...]
    unseen: tuple[Unseen, ...]
    columns: tuple[Moved, ...]
    skipped: tuple[str, ...]


def drift(source: Source) -> Drift:
    """Compare the splits of a source that has cuts."""
    columns, many = moved(source)
    return Drift(_periods(source), _unseen(source), columns, (*source.skipped, *many))


def _periods(source: Source) -> tuple[Period, ...]:
    found = rates(
        source.connection,
        "(SELECT * FROM listed WHERE logged)",
        {"exposed": Share("exposed"), "clicked": Share("click", of="exposed")},
        by=("split",),
    )
    requests = dict(
        source.connection.execute(
            "SELECT split, count(*) FROM asked WHERE logged AND NOT apart GROUP BY 1"
        ).fetchall()
    )
    return tuple(
        Period(
            source.splits[split],
            int(requests[split]),
            cell["exposed"].of,
            cell["exposed"].count,
            cell["clicked"],
        )
        for (split,), cell in found.items()
    )


def _unseen(source: Source) -> tuple[Unseen, ...]:
    connection = source.connection
    connection.execute(f"""
        CREATE TABLE newcomers AS
        SELECT n, u, user_id NOT IN (SELECT user_id FROM asked WHERE split = {TRAIN} AND user_id IS NOT NULL)
                AS new_user,
            query NOT IN (SELECT query FROM asked WHERE split = {TRAIN} AND query IS NOT NULL) AS new_query
        FROM asked WHERE split = {TEST}""")
    rows = (
        "(SELECT t.*, new_user, new_query, NOT seen_trained AS new_item"
        " FROM tested t JOIN newcomers USING (n))"
    )
    of = {"item": "true", "user": "true", "query": "new_query IS NOT NULL"}
    shares = {
        f"{what}_{name}": Share(f"new_{what}", of=f"{of[what]} AND {which}")
        for what in WHATS
        for name, which in (("candidates", "true"), ("clicks", "click"))
    }
    found = rates(connection, rows, shares)[()]
    any_new = ", ".join(f"bool_or(new_{what}) AS new_{what}" for what in WHATS)
    whole = f"(SELECT n, any_value(u) AS u, {any_new} FROM {rows} GROUP BY n)"
    requests = rates(connection, whole, {what: Share(f"new_{what}", of=of[what]) for what in WHATS})[()]
    return tuple(
        Unseen(what, requests[what], found[f"{what}_candidates"], found[f"{what}_clicks"]) for what in WHATS
    )
