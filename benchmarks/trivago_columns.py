"""A trivago store flattened: what LightGBM takes, and what predictions hold beside the score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corank.features import Features
from corank.features.encode import Encoder
from corank.features.store import Store
from corank.features.transforms import plain, to_numbers
from corank.files import whole_file


@dataclass(frozen=True)
class Columns:
    """A split as LightGBM takes it.

    Attributes:
        values: features of each sample.
        clicks, own: whether it is labelled, and by its request's own click.
        weights, exposed: of each sample.
        sizes: samples of each list.
        names, categories: of the features; which of them are ids.
    """

    values: np.ndarray[Any, np.dtype[np.float64]]
    clicks: np.ndarray[Any, np.dtype[np.float32]]
    own: np.ndarray[Any, np.dtype[np.bool_]]
    weights: np.ndarray[Any, np.dtype[np.float32]]
    exposed: np.ndarray[Any, np.dtype[np.bool_]]
    sizes: np.ndarray[Any, np.dtype[np.int64]]
    names: list[str]
    categories: list[int]


def columns(samples: Path, features: Features, split: str) -> Columns:
    """The columns of the spec, numbers unscaled."""
    store = Store(samples)
    encoder = Encoder(store, features)
    fields = encoder.request_fields + encoder.list_fields
    parts = []
    for group in store.row_groups(split):
        table = group.read([*encoder.columns, "label_source"])
        chunk = encoder.encode(table, exposed_only=False)
        row = np.repeat(np.arange(len(chunk.offsets) - 1), np.diff(chunk.offsets))
        ids = iter(range(chunk.request.ids.shape[1]))
        made = []
        for field in fields:
            if field.kind == "id":
                made.append(chunk.request.ids[row, next(ids)].astype(np.float64))
            elif field.source == "request":
                made.append(to_numbers(plain(table[field.column]), field.label)[row])
            else:
                made.append(to_numbers(plain(table[field.column]).flatten(), field.label))
        sources = plain(table["label_source"]).flatten().to_numpy(zero_copy_only=False)
        exposed = plain(table["exposed"]).flatten().to_numpy(zero_copy_only=False)
        sizes = np.diff(chunk.offsets)
        parts.append((np.stack(made, axis=1), chunk.clicks, sources == "own", chunk.weights, exposed, sizes))
    categories = [i for i, field in enumerate(fields) if field.kind == "id"]
    values, clicks, own, weights, exposed, sizes = (np.concatenate(part) for part in zip(*parts, strict=True))
    names = [field.label for field in fields]
    return Columns(values, clicks, own, weights, exposed, sizes, names, categories)


def flat(samples: Path, split: str, extra: Iterable[str] = ()) -> pa.Table:
    """A split with one row a sample, and what predictions hold beside the score."""
    per_sample = ["item_id", "exposed", "position", "label_click", "label_purchase", "weight", *extra]
    table = pq.read_table(samples / split).combine_chunks()
    lengths = table["item_id"].combine_chunks().value_lengths().to_numpy()
    row = pa.array(np.repeat(np.arange(table.num_rows), lengths))
    made = {name: plain(table[name]).take(row) for name in ("request_id", "user_id", "domain", "timestamp")}
    made |= {name: plain(table[name]).flatten() for name in per_sample}
    cold = pa.array(np.zeros(len(row), bool))
    return pa.table({**made, "cold_item": cold, "cold_user": cold})


def write_scores(samples: Path, split: str, scores: np.ndarray[Any, Any], path: Path) -> None:
    """Scores of a split as a predictions file."""
    with whole_file(path) as aside:
        pq.write_table(flat(samples, split).append_column("score", pa.array(scores)), aside)
