"""How often training holds each value of a field, and the vocabulary of what it holds often enough."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corank.features.spec import Field
from corank.features.store import Store
from corank.features.transforms import Vocabulary, is_list, list_parts, plain, words


def elements(field: Field, column: pa.Array) -> pa.Array:
    """The ids in a column: its values, the elements of its lists, or the words of its text."""
    if field.kind == "id":
        return column
    return (column if is_list(column.type) else words(column)).flatten()


def item_counts(field: Field, column: pa.Array, item_rows: npt.NDArray[np.int64]) -> pa.StructArray:
    """How many training samples have each value of an item attribute."""
    if field.kind == "id":
        values, weights = column, item_rows
    else:
        lists = column if is_list(column.type) else words(column)
        offsets, values = list_parts(lists)
        weights = np.repeat(item_rows, np.diff(offsets))
    table = pa.table({"values": values, "counts": weights}).group_by("values").aggregate([("counts", "sum")])
    return pa.StructArray.from_arrays(
        [plain(table["values"]), plain(table["counts_sum"])], names=["values", "counts"]
    )


def history_counts(store: Store, field: Field) -> pa.StructArray:
    """How often each value of an event column, or item attribute, occurs before training ended."""
    in_events = (
        field.column in ("item_id", "action", "domain") or field.column not in store.items.column_names
    )
    table = store.histories([field.column if in_events else "item_id", "timestamp"])
    table = table.filter(pc.less(table["timestamp"], pa.scalar(store.train_end, table["timestamp"].type)))
    column = plain(table.column(0))
    if not in_events:
        rows = pc.index_in(column, value_set=plain(store.items["item_id"]))
        column = plain(store.items[field.column]).take(rows)
    return pc.value_counts(column)


def vocabulary(field: Field, counts: list[pa.StructArray]) -> Vocabulary:
    """Merge the counts of all parts."""
    table = pa.concat_tables(
        pa.table({"value": part.field("values"), "count": part.field("counts").cast(pa.int64())})
        for part in counts
    )
    merged = table.group_by("value").aggregate([("count", "sum")])
    return Vocabulary.of_counts(
        plain(merged["value"]), plain(merged["count_sum"]).to_numpy(), field.min_count, field.max_size
    )
