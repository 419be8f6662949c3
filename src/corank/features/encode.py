"""From store columns to encoded arrays: items and histories once, requests a row group at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corank.features.features import Features
from corank.features.spec import Field
from corank.features.store import Store
from corank.features.transforms import Codes, Floats, is_list, list_parts, pad, plain, to_numbers, words

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Columns:
    """Encoded columns of n rows.

    Attributes:
        ids: int32 [n, number of id fields].
        numbers: float32 [n, number of number fields].
        sequences: int32 [n, length], one a sequence field.
        embeddings: float32 [n, dim], one an embedding field.
    """

    ids: Codes
    numbers: Floats
    sequences: list[Codes]
    embeddings: list[Floats]

    @property
    def nbytes(self) -> int:
        """Memory held."""
        parts: list[npt.NDArray[Any]] = [self.ids, self.numbers, *self.sequences, *self.embeddings]
        return sum(int(part.nbytes) for part in parts)


@dataclass(frozen=True)
class Chunk:
    """Encoded requests with their samples, as they lie in the store.

    Attributes:
        request: columns of the n requests, histories left to be gathered.
        listed: item-in-request columns of the samples (ids, numbers).
        item_rows: row in the item table of each sample (the last row: unknown).
        offsets: [n + 1], where each request's samples begin.
        history_ends, history_sizes: [n], in the flat histories.
        clicks, purchases, weights: float32 of the samples.
        positions: int32 of the samples, 0 where not shown.
        attributed: bool of the samples, whether the label came about elsewhere.
    """

    request: Columns
    listed: Columns
    item_rows: Codes
    offsets: Ints
    history_ends: Ints
    history_sizes: Ints
    clicks: Floats
    purchases: Floats
    weights: Floats
    positions: Codes
    attributed: Flags

    @property
    def nbytes(self) -> int:
        """Memory held."""
        rows: list[npt.NDArray[Any]] = [self.item_rows, self.offsets, self.history_ends, self.history_sizes]
        rows += [self.clicks, self.purchases, self.weights, self.positions, self.attributed]
        return self.request.nbytes + self.listed.nbytes + sum(int(part.nbytes) for part in rows)


class Encoder:
    """Encodes a store with fitted features; holds what is shared by all rows (items, histories).

    Raises:
        CorankError: the store lacks a column of the features, or its type has changed.
    """

    def __init__(self, store: Store, features: Features) -> None:
        self.features = features
        self.item_ids = plain(store.items["item_id"])
        items = [f for f in features.spec.fields if f.source == "item"]
        table = {f.column: plain(store.items[f.column]) for f in items}
        self.items = self._columns(items, table, len(self.item_ids), unknown_row=True)
        history = [f for f in features.spec.fields if f.source == "history"]
        self.histories = [self._history(store, field) for field in history]
        self.history_lengths = [field.length for field in history]
        self.request_fields = [f for f in features.spec.fields if f.source == "request"]
        self.list_fields = [f for f in features.spec.fields if f.source == "list"]
        self.columns = sorted(
            {f.column for f in self.request_fields + self.list_fields}
            | {"item_id", "exposed", "label_click", "label_purchase", "label_source", "weight", "position"}
            | {"history_offset", "history_length"}
        )

    def encode(self, table: pa.Table, exposed_only: bool) -> Chunk:
        """Encode a row group read with `columns`."""
        item_lists = plain(table["item_id"])
        offsets, ids = list_parts(item_lists)
        keep = None
        if exposed_only:
            keep = plain(table["exposed"]).flatten()
            flags = keep.to_numpy(zero_copy_only=False).astype(np.int64)
            offsets = np.concatenate([[0], np.cumsum(flags)])[offsets]

        def flat(name: str) -> pa.Array:
            values = plain(table[name]).flatten()
            return values if keep is None else values.filter(keep)

        def floats(name: str) -> Floats:
            values: Floats = flat(name).to_numpy(zero_copy_only=False).astype(np.float32)
            return values

        ids = ids if keep is None else ids.filter(keep)
        rows = pc.fill_null(pc.index_in(ids, value_set=self.item_ids), len(self.item_ids))
        begins = table["history_offset"].to_numpy().astype(np.int64)
        sizes = table["history_length"].to_numpy().astype(np.int64)
        request = {f.column: plain(table[f.column]) for f in self.request_fields}
        listed = {f.column: flat(f.column) for f in self.list_fields}
        return Chunk(
            request=self._columns(self.request_fields, request, table.num_rows),
            listed=self._columns(self.list_fields, listed, len(rows)),
            item_rows=rows.to_numpy().astype(np.int32),
            offsets=offsets,
            history_ends=begins + sizes,
            history_sizes=sizes,
            clicks=floats("label_click"),
            purchases=floats("label_purchase"),
            weights=floats("weight"),
            positions=pc.fill_null(flat("position"), 0).to_numpy(zero_copy_only=False).astype(np.int32),
            attributed=_attributed(flat("label_source")),
        )

    def _columns(
        self, fields: list[Field], table: dict[str, pa.Array], rows: int, unknown_row: bool = False
    ) -> Columns:
        extra = int(unknown_row)
        of = {kind: [f for f in fields if f.kind == kind] for kind in ("id", "number", "embedding")}
        ids = np.zeros((rows + extra, len(of["id"])), np.int32)
        for i, field in enumerate(of["id"]):
            ids[:rows, i] = self._vocabulary(field, table[field.column])
        numbers = np.full((rows + extra, len(of["number"])), np.nan, np.float32)
        for i, field in enumerate(of["number"]):
            scale = self.features.scales[field.label]
            numbers[:rows, i] = scale.encode(to_numbers(table[field.column], field.label))
        sequences = [
            self._sequence(f, table[f.column], extra) for f in fields if f.kind in ("sequence", "text")
        ]
        embeddings = []
        for field in of["embedding"]:
            vectors = self.features.vectors[field.label].encode(table[field.column], field.label)
            embeddings.append(np.pad(vectors, ((0, extra), (0, 0)), constant_values=np.nan))
        return Columns(ids, numbers, sequences, embeddings)

    def _vocabulary(self, field: Field, values: pa.Array) -> Codes:
        return self.features.vocabularies[self.features.table_of(field)].encode(values)

    def _sequence(self, field: Field, column: pa.Array, extra: int) -> Codes:
        if field.kind == "text":
            hashing = self.features.hashings[self.features.table_of(field)]
            codes = hashing.encode(column, field.unit, field.ngram, field.length)
        else:
            offsets, values = list_parts(column if is_list(column.type) else words(column))
            codes = pad(offsets, self._vocabulary(field, values), field.length)
        return np.pad(codes, ((0, extra), (0, 0)))

    def _history(self, store: Store, field: Field) -> Codes:
        """Codes of a history field for every event."""
        if field.column in ("item_id", "action", "domain") or field.column not in store.items.column_names:
            return self._vocabulary(field, plain(store.histories([field.column])[field.column]))
        events = plain(store.histories(["item_id"])["item_id"])
        rows = pc.index_in(events, value_set=self.item_ids)
        return self._vocabulary(field, plain(store.items[field.column]).take(rows))


def _attributed(sources: pa.Array) -> Flags:
    """Whether each label came about elsewhere than in the sample's own list."""
    here = pc.is_in(sources, value_set=pa.array(["own", "searchified"]))
    flags: Flags = pc.and_(pc.is_valid(sources), pc.invert(here)).to_numpy(zero_copy_only=False)
    return flags
