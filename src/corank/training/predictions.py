"""Predictions as a flat table: one row a sample, labels and exposure beside the score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corank.features.features import Features
from corank.features.store import Store
from corank.features.transforms import list_parts, plain
from corank.files import whole_file
from corank.training.predict import Scores

PER_REQUEST = ["request_id", "user_id", "domain", "timestamp"]
PER_SAMPLE = [
    "item_id", "exposed", "position", "label_click", "label_purchase", "weight",
    "anywhere_click", "anywhere_purchase",
]  # fmt: skip


def predictions_table(store: Store, split: str, features: Features, scores: Scores) -> pa.Table:
    """Scores beside what the store says of each sample of a split, in the order of the store.

    Args:
        features: of the run, to tell items and users that training did not see.
        scores: of the entire split.
    """
    parts = [_flat(group.read(PER_REQUEST + PER_SAMPLE)) for group in store.row_groups(split)]
    table = pa.concat_tables(parts).combine_chunks()
    for task, values in scores.scores.items():
        table = table.append_column("score" if task == "click" else f"score_{task}", pa.array(values))
    for name, column, seen in (
        ("cold_item", "item_id", features.seen_items),
        ("cold_user", "user_id", features.seen_users),
    ):
        known = pc.is_in(plain(table[column]), value_set=seen.cast(table[column].type))
        table = table.append_column(name, pc.invert(known))
    return table


def write_predictions(path: Path, table: pa.Table) -> None:
    """Write predictions whole, as Parquet."""
    with whole_file(path) as aside:
        pq.write_table(table, aside, compression="zstd", compression_level=1)


def _flat(table: pa.Table) -> pa.Table:
    """One row a sample of a row group's requests."""
    offsets, items = list_parts(plain(table["item_id"]))
    row = pa.array(np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)))
    columns = {name: plain(table[name]).take(row) for name in PER_REQUEST}
    columns |= {name: plain(table[name]).flatten() for name in PER_SAMPLE if name != "item_id"}
    return pa.table({**columns, "item_id": items})
