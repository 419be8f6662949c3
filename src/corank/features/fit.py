"""Fit features on the training split: one pass of counting, nothing from after it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corank.errors import CorankError
from corank.features.features import Features
from corank.features.spec import FeatureSpec, Field
from corank.features.store import Store
from corank.features.transforms import (
    Quantiles,
    Vocabulary,
    list_parts,
    plain,
    to_numbers,
    to_vectors,
    words,
)
from corank.progress import QUIET, Reporter

# Numbers are scaled by a sample of this many values: rows are shuffled, so the first are a random sample.
SAMPLE_VALUES = 1_000_000


def fit_features(samples: Path, spec: FeatureSpec, progress: Reporter = QUIET) -> Features:
    """Vocabularies, number scales and embedding sizes from the training split of a store.

    An item attribute is counted once for every training sample of its item; a history column once for every
    event before the training split ended.

    Raises:
        CorankError: the spec does not fit the store (an unknown column, a text column in a number field...).
    """
    store = Store(samples)
    types = store.columns
    spec = spec.expand({source: list(columns) for source, columns in types.items()})
    for field in spec.fields:
        _check_type(field, types[field.source][field.column])
    fields = {field.label: field for field in spec.fields}
    owners = {f.shares or f.label for f in spec.fields if f.kind in ("id", "sequence")}
    counting = [fields[name] for name in sorted(owners)]

    read = {"item_id", "user_id"} | {f.column for f in spec.fields if f.source in ("request", "list")}
    counts: dict[str, list[pa.StructArray]] = defaultdict(list)
    numbers: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    values_read: dict[str, int] = defaultdict(int)
    users: list[pa.Array] = []
    item_rows = np.zeros(store.items.num_rows, np.int64)
    dims: dict[str, int] = {}
    groups = store.row_groups("train")
    with progress.task("fit features", len(groups)) as task:
        for group in groups:
            table = group.read(sorted(read))
            users.append(pc.unique(plain(table["user_id"])))
            found = pc.index_in(plain(table["item_id"]).flatten(), value_set=plain(store.items["item_id"]))
            item_rows += np.bincount(pc.drop_null(found).to_numpy(), minlength=len(item_rows))
            for field in spec.fields:
                if field.source not in ("request", "list"):
                    continue
                column = plain(table[field.column])
                column = column.flatten() if field.source == "list" else column
                if field.label in owners:
                    counts[field.label].append(pc.value_counts(_elements(field, column)))
                elif field.kind == "number" and values_read[field.label] < SAMPLE_VALUES:
                    numbers[field.label].append(to_numbers(column, field.label))
                    values_read[field.label] += len(column)
                elif field.kind == "embedding":
                    dims[field.label] = to_vectors(column, field.label, dims.get(field.label)).shape[1]
            task.advance()

    seen_items = plain(store.items["item_id"]).filter(pa.array(item_rows > 0))
    for field in spec.fields:
        if field.source == "item":
            column = plain(store.items[field.column])
            if field.kind == "number":
                sampled = np.repeat(to_numbers(column, field.label), _thinned(item_rows))
                numbers[field.label].append(sampled)
            elif field.kind == "embedding":
                dims[field.label] = to_vectors(column, field.label).shape[1]
            elif field.label in owners:
                counts[field.label].append(_item_counts(field, column, item_rows))
        elif field.source == "history" and field.label in owners:
            counts[field.label].append(_history_counts(store, field))

    vocabularies = {f.label: _vocabulary(f, counts[f.label]) for f in counting}
    scales = {name: Quantiles.fit(np.concatenate(parts)) for name, parts in numbers.items()}
    seen_users = pc.unique(pa.chunked_array(users))
    return Features(spec, vocabularies, scales, dims, seen_items, seen_users)


def _check_type(field: Field, kind: pa.DataType) -> None:
    """Refuse a column whose type does not suit the field's kind."""
    if field.source == "list" and field.kind in ("sequence", "embedding"):
        raise CorankError(
            f"feature spec: field '{field.label}' is of kind {field.kind}, which item-in-request columns "
            "cannot have; put it into the item table or the request"
        )
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    flag = pa.types.is_boolean(kind)
    fits = {
        "id": text or pa.types.is_integer(kind) or flag,
        "number": numeric or flag,
        "sequence": listed or text or field.source == "history",
        "embedding": listed,
    }[field.kind]
    if not fits:
        expected = {
            "id": "text or whole numbers",
            "number": "a numeric column",
            "sequence": "lists of ids, or text to split into words",
            "embedding": "lists of numbers",
        }[field.kind]
        raise CorankError(
            f"feature spec: field '{field.label}' is of kind {field.kind}, which needs {expected}; "
            f"{field.source} column '{field.column}' holds {kind}"
        )


def _elements(field: Field, column: pa.Array) -> pa.Array:
    """The ids in a column: its values, the elements of its lists, or the words of its text."""
    if field.kind == "id":
        return column
    return (column if pa.types.is_list(column.type) else words(column)).flatten()


def _thinned(item_rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How often to repeat each item so that a sample of bounded size has the training samples' mix."""
    total = int(item_rows.sum())
    thinned: npt.NDArray[np.int64] = -(-item_rows * min(SAMPLE_VALUES, total) // max(total, 1))
    return thinned


def _item_counts(field: Field, column: pa.Array, item_rows: npt.NDArray[np.int64]) -> pa.StructArray:
    """How many training samples have each value of an item attribute."""
    if field.kind == "id":
        values, weights = column, item_rows
    else:
        lists = column if pa.types.is_list(column.type) else words(column)
        offsets, values = list_parts(lists)
        weights = np.repeat(item_rows, np.diff(offsets))
    table = pa.table({"values": values, "counts": weights}).group_by("values").aggregate([("counts", "sum")])
    return pa.StructArray.from_arrays(
        [plain(table["values"]), plain(table["counts_sum"])], names=["values", "counts"]
    )


def _history_counts(store: Store, field: Field) -> pa.StructArray:
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


def _vocabulary(field: Field, counts: list[pa.StructArray]) -> Vocabulary:
    """Merge the counts of all parts."""
    table = pa.concat_tables(
        pa.table({"value": part.field("values"), "count": part.field("counts").cast(pa.int64())})
        for part in counts
    )
    merged = table.group_by("value").aggregate([("count", "sum")])
    return Vocabulary.of_counts(
        plain(merged["value"]), plain(merged["count_sum"]).to_numpy(), field.min_count, field.max_size
    )
