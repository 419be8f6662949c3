"""What the store's rows are made of: flat requests and flat samples, each in the order of the store."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.joins import attach


def request_rows(
    requests: ir.Table, all_requests: ir.Table, users: ir.Table, columns: Sequence[str]
) -> ir.Table:
    """The numbered requests by number, with context, the user's attributes and their part of the history."""
    named = users.rename({f"user_{column}": column for column in users.columns if column != "user_id"})
    numbers = requests.select("request_id", "_number", "history_offset", "history_length")
    rows = attach(all_requests.inner_join(numbers, "request_id"), named, ["user_id"])
    return rows.order_by("_number").select(*columns)


def sample_rows(
    samples: ir.Table, labels: ir.Table, computed: Sequence[ir.Table], columns: Sequence[str]
) -> ir.Table:
    """The samples by row, with labels and what other steps computed.

    Args:
        samples: kept candidates, with `_row` and `_number`.
        labels: at most one row a (`_number`, `item_id`).
        computed: tables of at most one row a `_row`; where a row is absent, counts of touches and exposures
            are 0 and other columns null.
        columns: those of the store.
    """
    rows = attach(samples, labels, ["_number", "item_id"])
    for table in computed:
        rows = attach(rows, table, ["_row"])
    counts = [name for name in columns if name.startswith(("user_touches", "session_touches"))]
    counts += [name for name in columns if name == "user_shown"]
    absent = {name: rows[name].fill_null(0) for name in ("label_click", "label_purchase", *counts)}
    return rows.mutate(**absent, weight=ibis.literal(1.0, "float32")).order_by("_row").select(*columns)
