"""What the store's rows are made of: flat requests and flat samples, each in the order of the store."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.joins import attach


def request_rows(requests: ir.Table, all_requests: ir.Table, users: ir.Table) -> ir.Table:
    """The numbered requests by number, with context, the user's attributes and their part of the history."""
    named = users.rename({f"user_{column}": column for column in users.columns if column != "user_id"})
    history = ["history_offset", "history_length"]
    chosen = all_requests.inner_join(requests.select("request_id", "_number", *history), "request_id")
    rows = attach(chosen, named, ["user_id"]).order_by("_number")
    return rows.select(*(name for name in rows.columns if name not in ("_number", *history)), *history)


def sample_rows(
    samples: ir.Table, labels: ir.Table, computed: Sequence[ir.Table], columns: Sequence[str]
) -> ir.Table:
    """The samples by row, with labels and what other steps computed.

    Args:
        samples: kept candidates, with `_row` and `_number`.
        labels: at most one row a (`_number`, `item_id`).
        computed: tables of at most one row a `_row`; where a row is absent, counts of touches are 0 and other
            columns null.
        columns: candidate columns that are kept beside the required ones.
    """
    rows = attach(samples, labels, ["_number", "item_id"])
    for table in computed:
        rows = attach(rows, table, ["_row"])
    added = [name for name in rows.columns if name not in (*samples.columns, *labels.columns)]
    counts = [name for name in added if "_touches" in name]
    absent = {name: rows[name].fill_null(0) for name in ("label_click", "label_purchase", *counts)}
    rows = rows.mutate(**absent, weight=ibis.literal(1.0, "float32")).order_by("_row")
    return rows.select(
        "item_id",
        "exposed",
        "position",
        "label_click",
        "label_purchase",
        "label_source",
        "weight",
        *columns,
        *(name for name in samples.columns if name.endswith("_rank") and name not in columns),
        *added,
    )
