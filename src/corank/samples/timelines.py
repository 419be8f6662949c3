"""As-of arithmetic without an as-of join: askers and events merged into one timeline a group.

Within a group (a user, an item...) askers and events are sorted by time, askers first at one instant, and a
running aggregate over the rows so far tells each asker about the events strictly before it. One sort, no
pairs, whatever the number of events in a group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir


def as_of(
    askers: ir.Table, events: ir.Table, by: Sequence[str], aggregates: Mapping[str, tuple[str, str]]
) -> ir.Table:
    """Add to each asker aggregates of the group's events with an earlier `timestamp`.

    Args:
        askers: columns `by`, `timestamp` and any others, which are kept.
        events: columns `by`, `timestamp` and those that are aggregated.
        by: columns that name the group.
        aggregates: new column -> ("sum" or "max", column of `events`); null where there was no event.
            A summed column holds integers.
    """
    values = list(dict.fromkeys(column for _, column in aggregates.values()))
    shared = [*by, "timestamp"]
    others = [name for name in askers.columns if name not in shared]
    inputs = [f"_input_{index}" for index in range(len(values))]
    asking = askers.select(
        *shared,
        *others,
        **{name: ibis.null(events[value].type()) for name, value in zip(inputs, values, strict=True)},
        _event=ibis.literal(0, "int8"),
    )
    happening = events.select(
        *shared,
        **{name: ibis.null(askers[name].type()) for name in others},
        **{name: events[value] for name, value in zip(inputs, values, strict=True)},
        _event=ibis.literal(1, "int8"),
    )
    merged = asking.union(happening)
    so_far = ibis.window(group_by=list(by), order_by=["timestamp", "_event"], rows=(None, 0))
    results = {}
    for name, (how, value) in aggregates.items():
        column = merged[inputs[values.index(value)]]
        # Summed as float64, exact for counts: DuckDB sums int64 in 128 bits, which doubles the time.
        results[name] = (
            column.cast("float64").sum().over(so_far).cast("int64")
            if how == "sum"
            else column.max().over(so_far)
        )
    told = merged.mutate(**results)
    return told.filter(told["_event"] == 0).select(*askers.columns, *aggregates)
