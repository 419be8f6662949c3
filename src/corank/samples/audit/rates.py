"""Shares with intervals that mind that rows of one user are alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

Z = 1.959964
"""Of the normal distribution: 95 % lie within so many standard deviations."""


@dataclass(frozen=True)
class Rate:
    """A share of rows.

    Attributes:
        count: rows that have what is counted.
        of: rows there are.
        rate: `count / of`; null where there are none.
        low, high: 95 % interval; null where fewer than two users have rows, or none was asked for.
    """

    count: int
    of: int
    rate: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Share:
    """What is counted among what: two conditions in SQL."""

    counted: str
    of: str = "true"


@dataclass(frozen=True)
class Cell:
    """Sums over users of rows (n) and of rows counted (y)."""

    n: int
    y: int
    users: int
    nn: int
    ny: int
    yy: int


def plain(count: int, of: int) -> Rate:
    """A share without an interval."""
    return Rate(count, of, count / of if of else None)


def clustered(cell: Cell) -> Rate:
    """A share with Wilson's interval at the number of independent rows that its rows are worth.

    The variance is that of a ratio of two sums over users; divided by what independent rows would have, it
    gives the design effect, by which the rows are divided (never below 1). Where none or all are counted the
    variance says nothing, and each user counts as one row.

    >>> found = clustered(Cell(n=100, y=50, users=100, nn=100, ny=50, yy=50))
    >>> round(found.low, 3), round(found.high, 3)
    (0.403, 0.597)
    """
    n, y = cell.n, cell.y
    if n == 0 or cell.users < 2:
        return plain(y, n)
    share = y / n
    worth = float(cell.users)
    if 0 < y < n:
        spread = cell.yy - 2 * share * cell.ny + share * share * cell.nn
        variance = cell.users / (cell.users - 1) * spread / n**2
        worth = n / max(1.0, variance / (share * (1 - share) / n))
    scale = 1 + Z**2 / worth
    centre = (share + Z**2 / (2 * worth)) / scale
    half = Z * math.sqrt(share * (1 - share) / worth + Z**2 / (4 * worth**2)) / scale
    return Rate(y, n, share, centre - half if y else 0.0, centre + half if y < n else 1.0)


def rates(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    shares: Mapping[str, Share],
    by: Sequence[str] = (),
    user: str = "u",
) -> dict[tuple[Any, ...], dict[str, Rate]]:
    """Shares within each group of rows: values of `by`, in order -> name of the share -> it.

    Without `by` there is one group, `()`, that is there even if no row is.

    Args:
        rows: a table, or a query in parentheses.
        user: the column whose rows are not independent.
    """
    keys = "".join(f"{column}, " for column in by)
    counts, sums = [], []
    for place, share in enumerate(shares.values()):
        n, y = f"n{place}", f"y{place}"
        counts.append(f"count(*) FILTER ({share.of}) AS {n}")
        counts.append(f"count(*) FILTER (({share.of}) AND ({share.counted})) AS {y}")
        sums.append(
            f"sum({n}), sum({y}), count(*) FILTER ({n} > 0), sum({n} * {n}), sum({n} * {y}), sum({y} * {y})"
        )
    grouped = f"GROUP BY {', '.join(by)} ORDER BY {', '.join(by)}" if by else ""
    found = connection.execute(
        f"SELECT {keys}{', '.join(sums)} FROM"
        f" (SELECT {keys}{', '.join(counts)} FROM {rows} GROUP BY {keys}{user}) {grouped}"
    ).fetchall()
    width = len(by)
    return {
        row[:width]: {
            name: clustered(Cell(*(int(value or 0) for value in row[start : start + 6])))
            for name, start in zip(shares, range(width, len(row), 6), strict=True)
        }
        for row in found
    }
