"""The list-wise store against one row per sample: bytes on disk, and how fast it is read.

Run: python benchmarks/listwise.py [--searches 20000] [--repeats 5] [--work FOLDER]
Builds the recipe es3 of a simulated log and writes the same rows again with one row per sample, in the same
order, with the same compression and row groups of as many samples; columns of requests and users are
repeated, where Parquet's run lengths make the best of it. Both are made a second time with the user's last 50
items in the row, as stores without a table of histories have them. Then reads the columns of the training
split that a model needs, in turns: into Arrow, and on into PyTorch tensors (numbers as they are, texts as
codes), those of requests once a request or once a sample. Medians; writes results/bench_listwise.csv.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from corank.features import Reader, ReaderConfig, infer_spec
from corank.features.fit import fit_features
from corank.samples import build_samples, read_manifest
from es3 import PACKAGES, simulated
from measuring import write

ONE = "item_id"
"""A list column, by whose lengths requests are repeated."""

HISTORY, LONGEST = "last_items", 50
"""A column of the user's last items before the request, and how many."""


def flat(group: pa.Table) -> pa.Table:
    """One row per sample: lists laid out, the other columns repeated."""
    lists = {field.name for field in group.schema if pa.types.is_list(field.type)} - {HISTORY}
    parents = pc.list_parent_indices(group[ONE].combine_chunks())
    columns = {
        name: pc.list_flatten(group[name]) if name in lists else group[name].take(parents)
        for name in group.column_names
    }
    return pa.table(columns)


def with_history(group: pa.Table, items: pa.Array) -> pa.Table:
    """Add the user's last items; `items` are those of histories.parquet."""
    lengths = np.minimum(group["history_length"].to_numpy(), LONGEST)
    ends = (group["history_offset"].to_numpy() + group["history_length"].to_numpy()).astype(np.int64)
    offsets = np.append(0, np.cumsum(lengths))
    places = np.arange(offsets[-1]) + np.repeat(ends - lengths - offsets[:-1], lengths)
    last = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items.take(pa.array(places)))
    return group.append_column(HISTORY, last)


def rewrite(split: Path, out: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """A split changed group by group: a file for each of the store's, a row group for each of its own."""
    out.mkdir(parents=True)
    for file in sorted(split.glob("*.parquet")):
        with pq.ParquetFile(file) as parquet:
            schema = change(parquet.read_row_group(0)).schema
            with pq.ParquetWriter(out / file.name, schema, compression="zstd") as writer:
                for index in range(parquet.num_row_groups):
                    rows = change(parquet.read_row_group(index))
                    writer.write_table(rows, row_group_size=rows.num_rows)


def bytes_of(split: Path, columns: Sequence[str] | None = None) -> int:
    """Compressed bytes of some columns, or the files' own sizes."""
    if columns is None:
        return sum(file.stat().st_size for file in split.glob("*.parquet"))
    total = 0
    for file in split.glob("*.parquet"):
        about = pq.read_metadata(file)
        for group in map(about.row_group, range(about.num_row_groups)):
            chunks = map(group.column, range(group.num_columns))
            total += sum(c.total_compressed_size for c in chunks if c.path_in_schema.split(".")[0] in columns)
    return total


def arrow(split: Path, columns: Sequence[str]) -> list[pa.Table]:
    """Every row group of a split."""
    found = []
    for file in sorted(split.glob("*.parquet")):
        with pq.ParquetFile(file) as parquet:
            found += [parquet.read_row_group(index, columns) for index in range(parquet.num_row_groups)]
    return found


def tensors(split: Path, columns: Sequence[str]) -> int:
    """Every column of every row group as a tensor; returns how many numbers they hold."""
    return sum(
        _tensor(column.combine_chunks()).numel()
        for group in arrow(split, columns)
        for column in group.itercolumns()
    )


def _tensor(column: pa.Array) -> torch.Tensor:
    values = column.flatten() if pa.types.is_list(column.type) else column
    if pa.types.is_string(values.type):
        values = values.dictionary_encode().indices.fill_null(-1)
    elif pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    elif pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    return torch.from_numpy(np.array(values.to_numpy(zero_copy_only=False)))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds."""
    started, started_cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - started_cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--searches", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", type=Path, help="a folder for logs that is kept")
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        logs = simulated(chosen.work or Path(scratch), chosen.searches)
        store = Path(scratch) / "samples"
        build_samples(logs, store, recipe="es3")
        split = store / "train"
        items = pq.read_table(store / "histories.parquet")["item_id"].combine_chunks()
        layouts = {
            "list-wise": split,
            "one row per sample": Path(scratch) / "flat",
            "list-wise, last 50 items": Path(scratch) / "history",
            "one row per sample, last 50 items": Path(scratch) / "flat-history",
        }
        rewrite(split, Path(scratch) / "flat", flat)
        rewrite(split, Path(scratch) / "history", lambda rows: with_history(rows, items))
        rewrite(split, Path(scratch) / "flat-history", lambda rows: flat(with_history(rows, items)))
        samples = read_manifest(store).sizes["train"].total.samples
        features = fit_features(store, infer_spec(store))
        needed = Reader(store, features, "train", ReaderConfig()).encoder.columns
        seconds: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for _ in range(chosen.repeats):
            for name, split in layouts.items():
                for what, read in (("arrow", arrow), ("tensors", tensors)):
                    columns = [*needed, *([HISTORY] if "last" in name else [])]
                    found = timed(partial(read, split, columns))
                    seconds.setdefault((name, what), []).append(found)
        lines: list[dict[str, object]] = []
        for name, split in layouts.items():
            columns = [*needed, *([HISTORY] if "last" in name else [])]
            line: dict[str, object] = {
                "layout": name,
                "samples": samples,
                "columns_read": len(columns),
                "bytes": bytes_of(split),
                "bytes_per_sample": f"{bytes_of(split) / samples:.2f}",
                "bytes_read": bytes_of(split, columns),
            }
            for what in ("arrow", "tensors"):
                wall, cpu = (statistics.median(times) for times in zip(*seconds[name, what], strict=True))
                line |= {
                    f"{what}_samples_per_second": round(samples / wall),
                    f"{what}_cpu_seconds": f"{cpu:.3f}",
                }
            lines.append(line | {"repeats": chosen.repeats, "load_before": f"{load:.1f}"})
    for line in lines:
        print("  ".join(f"{key} {value}" for key, value in line.items()))
    write("bench_listwise", lines, (*PACKAGES, "torch"))


if __name__ == "__main__":
    main()
