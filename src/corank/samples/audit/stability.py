"""How far the values of a column moved, and which lie beyond those trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from corank.samples.audit.rates import Rate, plain
from corank.samples.audit.tables import Column, Source, count, measured

BINS = 10
MOST_CATEGORIES = 50
"""So many of the most frequent values of training have a bin of their own; the others share one."""
MOST_VALUES = 1000
"""A column of names with more values than this is not compared: they are texts or keys."""

_SUMS = "sum(before), sum(after), sum(trained), sum(scored)"


@dataclass(frozen=True)
class Moved:
    """A column in training and in test.

    Attributes:
        level: where it is: `candidate`, `request`, `item` or `user`.
        column: its name.
        kind: `number` or `category`.
        grows: whether it tells what came before, and so grows along the log.
        drift: stability index from training to test, of rows of one kind; null where there are none.
        gap: the same from what a model trains on to what it will score.
        chance: the drift that independent draws of as many users would show on average.
        beyond: of the rows to score that have a value, those outside the range, or not among the values,
            of what the model trains on; null without either.
    """

    level: str
    column: str
    kind: str
    grows: bool
    drift: float | None
    gap: float | None
    chance: float
    beyond: Rate | None


def moved(source: Source) -> tuple[tuple[Moved, ...], tuple[str, ...]]:
    """Every column that can be compared, and the names of those with too many values for it."""
    users = [
        count(source.connection, f"SELECT count(DISTINCT u) FROM asked WHERE split = {split}")
        for split in (0, 2)
    ]
    found, skipped = [], []
    for column in source.columns:
        made = (_number if column.number else _category)(source.connection, column, users)
        if made is None:
            skipped.append(column.name)
        else:
            found.append(made)
    return tuple(found), tuple(skipped)


def stability(before: Sequence[int], after: Sequence[int]) -> float | None:
    """Σ (q - p) ln(q / p) over bins, with half a row added to each; null if either has no rows.

    >>> round(stability([50, 50], [60, 40]), 4)
    0.0397
    """
    total, later = sum(before), sum(after)
    if not total or not later:
        return None
    bins = sum(1 for one, other in zip(before, after, strict=True) if one or other)
    index = 0.0
    for one, other in zip(before, after, strict=True):
        if one or other:
            p, q = (one + 0.5) / (total + bins / 2), (other + 0.5) / (later + bins / 2)
            index += (q - p) * math.log(q / p)
    return index


def _number(connection: duckdb.DuckDBPyConnection, column: Column, users: Sequence[int]) -> Moved:
    """In bins between the deciles of `before`, and one for missing values."""
    rows = f"(SELECT {measured('v')} AS v, * EXCLUDE (v) FROM ({column.rows}))"
    places = ", ".join(str(place / BINS) for place in range(1, BINS))
    steps, low, high = connection.execute(
        f"SELECT quantile_disc(v, [{places}]) FILTER (before > 0), min(v) FILTER (trained > 0),"
        f" max(v) FILTER (trained > 0) FROM {rows}"
    ).fetchone() or (None, None, None)
    above = " + ".join(f"(v > {step!r}::DOUBLE)::INTEGER" for step in sorted(set(steps or ()))) or "0"
    outside = "false" if low is None else f"v < {low!r}::DOUBLE OR v > {high!r}::DOUBLE"
    found = connection.execute(
        f"SELECT CASE WHEN v IS NOT NULL THEN {above} END AS bin, {_SUMS}, sum(scored) FILTER ({outside})"
        f" FROM {rows} GROUP BY bin ORDER BY bin"
    ).fetchall()
    bins = [tuple(int(one or 0) for one in counts) for _, *counts, _ in found]
    valued = sum(int(row[4] or 0) for row in found if row[0] is not None)
    known = low is not None and valued > 0
    beyond = plain(sum(int(row[5] or 0) for row in found), valued) if known else None
    return _moved(column, "number", bins, users, beyond)


def _category(connection: duckdb.DuckDBPyConnection, column: Column, users: Sequence[int]) -> Moved | None:
    found = connection.execute(
        f"SELECT v::VARCHAR AS v, {_SUMS} FROM ({column.rows}) GROUP BY 1 ORDER BY 2 DESC, 1"
        f" LIMIT {MOST_VALUES + 2}"
    ).fetchall()
    if len(found) > MOST_VALUES + 1:
        return None
    values = {value: tuple(int(one or 0) for one in counts) for value, *counts in found}
    named = [counts for value, counts in values.items() if value is not None]
    bins = [*named[:MOST_CATEGORIES], _sum(named[MOST_CATEGORIES:]), _sum([values.get(None, (0,) * 4)])]
    valued, unknown = sum(row[3] for row in named), sum(row[3] for row in named if not row[2])
    known = any(row[2] for row in named)
    return _moved(column, "category", bins, users, plain(unknown, valued) if valued and known else None)


def _sum(rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sum(row[place] for row in rows) for place in range(4))


def _moved(
    column: Column, kind: str, bins: Sequence[tuple[int, ...]], users: Sequence[int], beyond: Rate | None
) -> Moved:
    before, after, trained, scored = ([row[place] for row in bins] for place in range(4))
    filled = sum(1 for one, other in zip(before, after, strict=True) if one or other)
    chance = max(filled - 1, 0) * sum(1 / max(count, 1) for count in users)
    return Moved(
        column.level,
        column.name,
        kind,
        column.grows,
        stability(before, after),
        stability(trained, scored),
        chance,
        beyond,
    )
