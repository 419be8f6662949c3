"""Fit features on the training split: one pass of counting, nothing from after it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corank.features.checks import check_type
from corank.features.counts import elements, history_counts, item_counts, vocabulary
from corank.features.features import Features
from corank.features.spec import FeatureSpec
from corank.features.store import Store
from corank.features.texts import TextFit
from corank.features.transforms import Quantiles, plain, to_numbers
from corank.features.vectors import VectorFit
from corank.progress import QUIET, Reporter

# Numbers are scaled by a sample of this many values: rows are shuffled, so the first are a random sample.
SAMPLE_VALUES = 1_000_000


def fit_features(samples: Path, spec: FeatureSpec, progress: Reporter = QUIET) -> Features:
    """Vocabularies, number scales, sizes of texts and embeddings from the training split of a store.

    An item attribute is counted once for every training sample of its item; a history column once for every
    event before the training split ended. Embeddings that are missing or unusable are reported.

    Raises:
        CorankError: the spec does not fit the store (an unknown column, a text column in a number field...).
    """
    store = Store(samples)
    types = store.columns
    spec = spec.expand({source: list(columns) for source, columns in types.items()})
    for field in spec.fields:
        check_type(field, types[field.source][field.column])
    fields = {field.label: field for field in spec.fields}
    owners = {f.shares or f.label for f in spec.fields if f.kind in ("id", "sequence")}
    counting = [fields[name] for name in sorted(owners)]

    read = {"item_id", "user_id"} | {f.column for f in spec.fields if f.source in ("request", "list")}
    counts: dict[str, list[pa.StructArray]] = defaultdict(list)
    numbers: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    values_read: dict[str, int] = defaultdict(int)
    users: list[pa.Array] = []
    item_rows = np.zeros(store.items.num_rows, np.int64)
    vectors = {f.label: VectorFit(f.label, f.normalise) for f in spec.fields if f.kind == "embedding"}
    texts = {f.label: TextFit(f.buckets) for f in spec.fields if f.kind == "text" and not f.shares}
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
                    counts[field.label].append(pc.value_counts(elements(field, column)))
                elif field.kind == "number" and values_read[field.label] < SAMPLE_VALUES:
                    numbers[field.label].append(to_numbers(column, field.label))
                    values_read[field.label] += len(column)
                elif field.kind == "embedding":
                    vectors[field.label].add(column)
                elif field.kind == "text":
                    texts[field.shares or field.label].add(column, field.unit, field.ngram, field.length)
            task.advance()

    seen = pa.array(item_rows > 0)
    seen_items = plain(store.items["item_id"]).filter(seen)
    for field in spec.fields:
        if field.source == "item":
            column = plain(store.items[field.column])
            if field.kind == "number":
                sampled = np.repeat(to_numbers(column, field.label), _thinned(item_rows))
                numbers[field.label].append(sampled)
            elif field.kind == "embedding":
                vectors[field.label].add(column, item_rows)
            elif field.kind == "text":
                known = column.filter(seen)
                texts[field.shares or field.label].add(known, field.unit, field.ngram, field.length)
            elif field.label in owners:
                counts[field.label].append(item_counts(field, column, item_rows))
        elif field.source == "history" and field.label in owners:
            counts[field.label].append(history_counts(store, field))

    vocabularies = {f.label: vocabulary(f, counts[f.label]) for f in counting}
    scales = {name: Quantiles.fit(np.concatenate(parts)) for name, parts in numbers.items()}
    seen_users = pc.unique(pa.chunked_array(users))
    read_vectors = {name: fit.done() for name, fit in vectors.items()}
    for name, fitted in read_vectors.items():
        if fitted.missing or fitted.unusable:
            progress.say(
                f"embedding '{name}': of {fitted.rows:,} read, {fitted.missing:,} are null "
                f"and {fitted.unusable:,} cannot be used"
            )
    hashings = {name: fit.done() for name, fit in texts.items()}
    return Features(spec, vocabularies, scales, hashings, read_vectors, seen_items, seen_users)


def _thinned(item_rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How often to repeat each item so that a sample of bounded size has the training samples' mix."""
    total = int(item_rows.sum())
    thinned: npt.NDArray[np.int64] = -(-item_rows * min(SAMPLE_VALUES, total) // max(total, 1))
    return thinned
