"""Streams a split as batches of tensors: row groups are encoded by column, batches gathered by index."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field as Bound
from torch import Tensor

from corank.config import Config
from corank.features.batch import Batch, Labels, Side
from corank.features.encode import Chunk, Encoder, Ints
from corank.features.features import Features
from corank.features.store import RowGroup, Store
from corank.features.transforms import MISSING, list_parts, plain

Space = Literal["exposed", "entire"]
T = TypeVar("T")


class ReaderConfig(Config):
    """How a split is cut into batches."""

    batch_samples: int = Bound(default=4096, ge=1)  # a batch closes once it holds this many samples
    cache_gib: float = Bound(default=4.0, ge=0)  # encoded row groups kept in memory from epoch to epoch
    prefetch: int = Bound(default=2, ge=0)  # batches made ahead of the one in use


class Reader:
    """Batches of one split.

    Args:
        samples: a folder made by `corank samples`.
        features: fitted features.
        split: `train`, `valid` or `test`.
        space: `exposed` reads exposed items only; `entire` reads all the items that the split holds.

    Raises:
        CorankError: the folder, the split or a column is not there.
    """

    def __init__(
        self, samples: Path, features: Features, split: str, config: ReaderConfig, space: Space = "entire"
    ) -> None:
        store = Store(samples)
        self.config, self.space = config, space
        self.groups = store.row_groups(split)
        self.encoder = Encoder(store, features)
        self._cache: dict[RowGroup, Chunk] = {}
        self._known_sizes: dict[RowGroup, Ints] = {}
        self._room = int(config.cache_gib * 2**30)

    def batches(self, shuffle: str | None = None, skip: int = 0) -> Iterator[tuple[Batch, Labels]]:
        """One pass over the split.

        Args:
            shuffle: a text (seed and epoch, say) that decides the order of row groups and of requests within
                each; the same text gives the same batches. None: the order of the store.
            skip: batches to leave out at the beginning, as when a run resumes.
        """
        made = self._batches(shuffle, skip)
        return _ahead(made, self.config.prefetch) if self.config.prefetch else made

    def steps(self, shuffle: str | None = None) -> int:
        """Number of batches in the pass that `batches(shuffle)` makes."""
        return sum(len(cuts) for _, _, cuts in self._plan(shuffle))

    def one(self, group: RowGroup, row: int) -> Batch:
        """A single request: the row of a row group of this split."""
        return self._gather(self._chunk(group), np.array([row]))[0]

    def _plan(self, shuffle: str | None) -> Iterator[tuple[RowGroup, Ints, list[tuple[int, int]]]]:
        """Row groups in order, the order of each one's requests, and where batches begin and end in it."""
        rng = None if shuffle is None else _generator(shuffle)
        order = np.arange(len(self.groups)) if rng is None else rng.permutation(len(self.groups))
        for position in order:
            group = self.groups[position]
            sizes = self._sizes(group)
            rows = np.arange(len(sizes)) if rng is None else rng.permutation(len(sizes))
            yield group, rows, _cuts(sizes[rows], self.config.batch_samples)

    def _batches(self, shuffle: str | None, skip: int) -> Iterator[tuple[Batch, Labels]]:
        for group, rows, cuts in self._plan(shuffle):
            if skip < len(cuts):
                chunk = self._chunk(group)
                for begin, end in cuts[skip:]:
                    yield self._gather(chunk, rows[begin:end])
            skip = max(skip - len(cuts), 0)

    def _chunk(self, group: RowGroup) -> Chunk:
        if group in self._cache:
            return self._cache[group]
        table = group.read(self.encoder.columns)
        chunk = self.encoder.encode(table, exposed_only=self.space == "exposed")
        if chunk.nbytes <= self._room:
            self._room -= chunk.nbytes
            self._cache[group] = chunk
        return chunk

    def _sizes(self, group: RowGroup) -> Ints:
        """Samples of each request of a row group."""
        if group not in self._known_sizes:
            exposed = plain(group.read(["exposed"])["exposed"])
            offsets, flags = list_parts(exposed)
            if self.space == "exposed":
                kept = flags.to_numpy(zero_copy_only=False).astype(np.int64)
                offsets = np.concatenate([[0], np.cumsum(kept)])[offsets]
            self._known_sizes[group] = np.diff(offsets)
        return self._known_sizes[group]

    def _gather(self, chunk: Chunk, rows: Ints) -> tuple[Batch, Labels]:
        """The batch of some of a chunk's requests."""
        starts = chunk.offsets[rows]
        sizes = chunk.offsets[rows + 1] - starts
        request_of = np.repeat(np.arange(len(rows)), sizes)
        firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        samples = np.arange(len(request_of)) + np.repeat(starts - firsts, sizes)

        items, listed, request = self.encoder.items, chunk.listed, chunk.request
        at = chunk.item_rows[samples]
        sample = Side(
            ids=_ints(np.concatenate([items.ids[at], listed.ids[samples]], axis=1)),
            numbers=torch.from_numpy(np.concatenate([items.numbers[at], listed.numbers[samples]], axis=1)),
            sequences=[_ints(codes[at]) for codes in items.sequences],
            embeddings=[torch.from_numpy(vectors[at]) for vectors in items.embeddings],
        )
        side = Side(
            ids=_ints(request.ids[rows]),
            numbers=torch.from_numpy(request.numbers[rows]),
            sequences=self._request_sequences(chunk, rows),
            embeddings=[torch.from_numpy(vectors[rows]) for vectors in request.embeddings],
        )
        clicks, purchases, weights = (
            torch.from_numpy(part[samples]) for part in (chunk.clicks, chunk.purchases, chunk.weights)
        )
        attributed = torch.from_numpy(chunk.attributed[samples])
        labels = Labels(clicks, purchases, weights, _ints(chunk.positions[samples]), attributed)
        return Batch(side, sample, torch.from_numpy(request_of)), labels

    def _request_sequences(self, chunk: Chunk, rows: Ints) -> list[Tensor]:
        """Sequences of the requests' own columns, then histories, the latest event first."""
        own = [_ints(codes[rows]) for codes in chunk.request.sequences]
        if not self.encoder.histories:
            return own
        longest = max(self.encoder.history_lengths)
        steps = np.arange(longest)
        inside = steps < chunk.history_sizes[rows, None]
        index = np.where(inside, chunk.history_ends[rows, None] - 1 - steps, 0)
        for codes, length in zip(self.encoder.histories, self.encoder.history_lengths, strict=True):
            taken = codes[index[:, :length]] if codes.size else np.zeros((len(rows), length), np.int32)
            own.append(_ints(np.where(inside[:, :length], taken, MISSING)))
        return own


def _cuts(sizes: Ints, batch_samples: int) -> list[tuple[int, int]]:
    """Ranges of requests: a batch closes once it holds `batch_samples` samples; an empty one is left out."""
    if sizes.sum() == 0:
        return []
    before = np.cumsum(sizes) - sizes
    batch = before // batch_samples
    edges = np.flatnonzero(np.diff(batch)) + 1
    bounds = [0, *edges.tolist(), len(sizes)]
    return [(a, b) for a, b in pairwise(bounds) if sizes[a:b].sum() > 0]


def _ints(codes: npt.NDArray[np.int32]) -> Tensor:
    return torch.from_numpy(codes.astype(np.int64))


def _generator(text: str) -> np.random.Generator:
    """A generator seeded by a text, the same on every machine."""
    return np.random.default_rng(list(hashlib.sha256(text.encode()).digest()))


def _ahead(made: Iterator[T], count: int) -> Iterator[T]:
    """The same, made `count` ahead by a thread of its own."""
    with ThreadPoolExecutor(1, thread_name_prefix="corank-reader") as pool:
        waiting = deque(pool.submit(next, made, None) for _ in range(count))
        while (item := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, made, None))
            yield item
