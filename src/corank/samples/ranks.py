"""Ranks of numeric columns within a request's entire candidate list."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir


def with_ranks(candidates: ir.Table, columns: Sequence[str], by: str = "_number") -> ir.Table:
    """Add COLUMN_rank: 0 for the lowest value of the list, 1 for the highest; ties share their mean.

    A list is the rows of one value of the column `by`. Null where the value is null or NaN; one half where it
    is the only one.
    """
    return candidates.mutate(**{f"{column}_rank": _rank(candidates, column, by) for column in columns})


def measured(value: ir.Column) -> ir.Column:
    """The values of a numeric column, null where NaN."""
    return value.isnan().ifelse(ibis.null(value.type()), value) if value.type().is_floating() else value


def _rank(candidates: ir.Table, column: str, by: str) -> ir.Column:
    value = measured(candidates[column])
    sorted_list = ibis.window(group_by=by, order_by=value.asc(nulls_first=False))
    whole_list = ibis.window(group_by=by, order_by=value.asc(nulls_first=False), rows=(None, None))
    count, rows = value.count().over(whole_list), candidates.count().over(whole_list)
    lowest = ibis.rank().over(sorted_list)
    highest = (ibis.cume_dist().over(sorted_list) * rows).round() - 1
    rank = ibis.ifelse(count > 1, (lowest + highest) / (2 * (count - 1)), 0.5)
    return value.isnull().ifelse(ibis.null("float32"), rank.cast("float32"))
