"""Where the labels and weights of training samples come from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from corank.logs.engine import quoted
from corank.samples.audit.rates import Rate, Share, rates
from corank.samples.audit.spaces import SPACE, SPACES
from corank.samples.audit.tables import TRAIN, Source


@dataclass(frozen=True)
class LabelSource:
    """Training samples of one space whose label has one source.

    Attributes:
        space: `exposed`, `unexposed` or `searchified`.
        source: of the label; `none` for negatives.
        purchases: of the samples, those that are bought.
        share: of the samples of the space.
        mean_weight: of the samples.
    """

    space: str
    source: str
    purchases: int
    share: Rate
    mean_weight: float


def label_sources(source: Source) -> tuple[LabelSource, ...]:
    """Every space and source that has samples."""
    named = f"{SPACE} AS space, coalesce(label_source, 'none') AS source"
    rows = f"(SELECT *, {named} FROM listed WHERE split = {TRAIN})"
    weights: dict[tuple[int, str], list[tuple[float, int, int]]] = defaultdict(list)
    # Weights have few values: summed here, in order, to the same bits however many threads there are.
    for space, name, weight, count, bought in source.connection.execute(
        f"SELECT space, source, weight, count(*), sum(label_purchase) FROM {rows}"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ).fetchall():
        weights[space, name].append((float(weight), int(count), int(bought)))
    names = {name for _, name in weights}
    shares = {name: Share(f"source = {quoted(name)}") for name in sorted(names)}
    found = rates(source.connection, rows, shares, by=("space",))
    return tuple(
        LabelSource(
            SPACES[space],
            name,
            sum(bought for _, _, bought in parts),
            found[space,][name],
            sum(weight * count for weight, count, _ in parts) / sum(count for _, count, _ in parts),
        )
        for (space, name), parts in weights.items()
    )
