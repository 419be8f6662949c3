"""How popular the items of training samples are, beside those of the candidates to score."""

from __future__ import annotations

from dataclasses import dataclass

from corank.samples.audit.deciles import TENTHS
from corank.samples.audit.tables import TRAIN, Source

GROUPS = {
    "positives": "positive",
    "exposed negatives": "NOT positive AND logged AND exposed",
    "drawn negatives": "NOT positive AND logged AND NOT exposed",
    "searchified negatives": "NOT positive AND NOT logged",
}
"""Training samples by what they are."""

CANDIDATES = "test candidates"
ALL_NEGATIVES = "all negatives"


@dataclass(frozen=True)
class Group:
    """Samples of one kind.

    Attributes:
        group: one of `GROUPS`, `CANDIDATES` or `ALL_NEGATIVES`.
        samples: how many.
        shares: of them in each decile of popularity, from the least popular; they sum to 1.
        distance: total variation from the test candidates, in [0, 1]: the share that would have to move.
        mean_decile: mean of their deciles.
    """

    group: str
    samples: int
    shares: tuple[float, ...]
    distance: float
    mean_decile: float


def skew(source: Source) -> tuple[Group, ...]:
    """The test candidates, then each kind of training samples that there is, and the negatives together."""
    kinds = " ".join(f"WHEN {which} THEN {place}" for place, which in enumerate(GROUPS.values(), start=1))
    found = source.connection.execute(f"""
        SELECT kind, decile, count(*) FROM (
            SELECT item_id, CASE {kinds} END AS kind
            FROM (SELECT *, label_click = 1 AS positive FROM listed WHERE split = {TRAIN})
            UNION ALL SELECT item_id, 0 FROM tested) r
        LEFT JOIN clicks_before p USING (item_id)
        JOIN popularity_places d ON d.popularity = coalesce(p.popularity, 0)
        GROUP BY 1, 2 ORDER BY 1, 2""").fetchall()
    names = (CANDIDATES, *GROUPS)
    counts = {name: [0] * TENTHS for name in names}
    for kind, decile, rows in found:
        counts[names[kind]][decile - 1] = int(rows)
    negatives = [counts[name] for name in GROUPS if name.endswith("negatives")]
    counts[ALL_NEGATIVES] = [sum(rows) for rows in zip(*negatives, strict=True)]
    reference = _shares(counts[CANDIDATES])
    return tuple(_group(name, rows, reference) for name, rows in counts.items() if sum(rows))


def _shares(rows: list[int]) -> list[float]:
    total = sum(rows)
    return [one / total for one in rows]


def _group(name: str, rows: list[int], reference: list[float]) -> Group:
    shares = _shares(rows)
    distance = sum(abs(one - other) for one, other in zip(shares, reference, strict=True)) / 2
    mean = sum(decile * share for decile, share in enumerate(shares, start=1))
    return Group(name, sum(rows), tuple(shares), distance, mean)
