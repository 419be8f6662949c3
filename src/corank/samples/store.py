"""The list-wise store: flat streams from the engine become Parquet files with one row a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corank.progress import Task
from corank.samples.sizes import LABEL_SOURCES, Tally

Counts = npt.NDArray[np.int32] | npt.NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """A row group to write: so many requests, with so many samples, into the file of a number."""

    file: int
    requests: int
    samples: int


def row_groups(lengths: Counts, group_samples: int, file_samples: int) -> list[Group]:
    """Cut a split's requests, given the lengths of their lists, into row groups and files.

    >>> row_groups(np.array([3, 3, 3, 3]), group_samples=6, file_samples=6)
    [Group(file=0, requests=2, samples=6), Group(file=1, requests=2, samples=6)]
    """
    ends = np.cumsum(lengths)  # the only array of all requests beside the lengths: they may be many
    bounds = np.arange(group_samples, ends[-1] + group_samples, group_samples)
    # A request belongs where its last sample falls; a bound within a long list ends no group of its own.
    last = np.unique(np.searchsorted(ends, bounds, side="right") - 1)
    last = last[last >= 0]
    starts = np.append(0, ends[last][:-1])
    # Files are numbered without gaps, even where one row group is larger than a file.
    files = np.unique(starts // file_samples, return_inverse=True)[1]
    columns = (files, np.diff(last, prepend=-1), ends[last] - starts)
    return [Group(*(int(value) for value in row)) for row in zip(*columns, strict=True)]


class Rows:
    """Record batches, taken in pieces of any size."""

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        self.schema = schema
        self._batches = iter(batches)
        self._rest: pa.RecordBatch | None = None

    def take(self, rows: int) -> pa.Table:
        """The next rows: so many, or fewer at the end of the stream."""
        pieces: list[pa.RecordBatch] = []
        missing = rows
        while missing:
            batch = self._rest if self._rest is not None else next(self._batches, None)
            if batch is None:
                break
            piece = batch.slice(0, missing)
            missing -= piece.num_rows
            self._rest = batch.slice(piece.num_rows) if piece.num_rows < batch.num_rows else None
            pieces.append(piece)
        return pa.Table.from_batches(pieces, schema=self.schema)


class SplitWriter:
    """Writes row groups into the files of a split.

    Args:
        folder: of the split, to be made.
        ahead: compress one while the caller makes the next, which holds both in memory.
    """

    def __init__(self, folder: Path, ahead: bool) -> None:
        folder.mkdir()
        self._folder = folder
        self._ahead = ahead
        self._file = -1
        self._writer: pq.ParquetWriter | None = None
        self._pool = ThreadPoolExecutor(1)
        self._pending: Future[None] | None = None

    def write(self, file: int, rows: pa.Table) -> None:
        """Write a row group into the file of that number, which is the last one's or the next."""
        self._settle()
        if file != self._file or self._writer is None:
            self._finish_file()
            self._file = file
            self._writer = pq.ParquetWriter(
                self._folder / f"part-{file:05d}.parquet", rows.schema, compression="zstd"
            )
        self._pending = self._pool.submit(self._writer.write_table, rows, row_group_size=rows.num_rows)
        if not self._ahead:
            self._settle()

    def close(self) -> None:
        """Finish the files."""
        try:
            self._settle()
        finally:
            self._pool.shutdown()
            self._finish_file()

    def _settle(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def _finish_file(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def write_split(
    folder: Path,
    groups: Sequence[Group],
    requests: Rows,
    samples: Rows,
    lengths: Counts,
    task: Task,
    ahead: bool = True,
) -> Tally:
    """Write one split; the streams must stand at its first request, `lengths` are those of its lists.

    With `ahead` a row group is compressed while the next is made; else they are not in memory together.
    """
    tally = Tally()
    writer = SplitWriter(folder, ahead)
    begin = 0
    try:
        for group in groups:
            flat, rows = samples.take(group.samples), requests.take(group.requests)
            assert (flat.num_rows, rows.num_rows) == (group.samples, group.requests), "a stream ended early"
            sizes = lengths[begin : begin + group.requests]
            begin += group.requests
            tally.add(rows, flat, sizes)
            writer.write(group.file, listwise(rows, _with_source_texts(flat), sizes))
            del flat, rows
            if not ahead:
                pa.default_memory_pool().release_unused()
            task.advance(group.samples)
    finally:
        writer.close()
    return tally


def listwise(requests: pa.Table, samples: pa.Table, lengths: Counts) -> pa.Table:
    """Put the flat columns of `samples` beside the requests, as lists of the given lengths."""
    offsets = pa.array(np.append(0, np.cumsum(lengths)), pa.int32())
    for name in samples.column_names:
        values = pa.concat_arrays(samples[name].chunks)
        requests = requests.append_column(name, pa.ListArray.from_arrays(offsets, values))
    return requests


def write_flat(path: Path, stream: pa.RecordBatchReader, group_rows: int) -> int:
    """Write a flat stream into one file, in row groups of a size; returns its rows."""
    rows = Rows(stream.schema, stream)
    written = 0
    with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
        while (piece := rows.take(group_rows)).num_rows:
            writer.write_table(piece, row_group_size=group_rows)
            written += piece.num_rows
    return written


def _with_source_texts(samples: pa.Table) -> pa.Table:
    """Replace the codes of the label sources by their texts."""
    for name in ("label_source", "purchase_source"):
        texts = pc.take(pa.array(LABEL_SOURCES), samples[name])
        samples = samples.set_column(samples.schema.get_field_index(name), name, texts)
    return samples
