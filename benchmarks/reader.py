"""Samples a second from the store to tensors, beside reading the same columns with Arrow alone.

Run: python benchmarks/reader.py [--size s] [--samples FOLDER] [--repeats 5]
Simulates a log and builds its samples (or takes those in FOLDER), then times, in turns: Arrow reading the
columns (the limit), a first pass of the reader (encodes), a later pass (from its cache), and PyTorch's
DataLoader over the same encoded rows, one sample at a time, as common libraries do. Prints medians
and writes results/bench_reader.csv.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from corank.features import Features, Reader, ReaderConfig, infer_spec
from corank.features.fit import fit_features
from corank.features.store import Store
from corank.logs.marketplace import simulate
from corank.samples import build_samples

RESULTS = Path(__file__).parent.parent / "results" / "bench_reader.csv"
CONFIG = ReaderConfig(batch_samples=4096)
BY_ROW = 50_000


class Rows(Dataset[dict[str, Tensor]]):
    """One sample a time, a dictionary of scalars: the loader that corank's reader replaces."""

    def __init__(self, columns: dict[str, Tensor]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: column[index] for name, column in self.columns.items()}


def arrow(samples: Path, features: Features) -> int:
    """Read every column that the reader needs, and nothing more."""
    reader = Reader(samples, features, "train", CONFIG)
    return sum(
        len(group.read(reader.encoder.columns)["item_id"].combine_chunks().flatten())
        for group in reader.groups
    )


def one_pass(reader: Reader) -> int:
    """All batches of a shuffled pass."""
    return sum(batch.samples for batch, _ in reader.batches("0/0"))


def by_row(rows: Rows) -> int:
    """All batches of a shuffled pass, row by row."""
    return sum(len(next(iter(batch.values()))) for batch in DataLoader(rows, batch_size=4096, shuffle=True))


def encoded_rows(reader: Reader) -> Rows:
    """The sample side of the first samples, a column each."""
    sides = [batch.sample for batch, _ in reader.batches()]
    ids, numbers = torch.cat([s.ids for s in sides])[:BY_ROW], torch.cat([s.numbers for s in sides])[:BY_ROW]
    columns = {f"id_{i}": ids[:, i] for i in range(ids.shape[1])}
    return Rows(columns | {f"number_{i}": numbers[:, i] for i in range(numbers.shape[1])})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", default="s")
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = arguments.samples or Path(folder) / "samples"
        if arguments.samples is None:
            simulate(Path(folder) / "logs", size=arguments.size)
            build_samples(Path(folder) / "logs", samples, recipe="unexposed")
        features = fit_features(samples, infer_spec(samples))
        warm = Reader(samples, features, "train", CONFIG)
        rows = encoded_rows(warm)
        work: dict[str, Callable[[], int]] = {
            "Arrow, columns only": lambda: arrow(samples, features),
            "corank, first pass": lambda: one_pass(Reader(samples, features, "train", CONFIG)),
            "corank, later passes": lambda: one_pass(warm),
            "DataLoader, row by row": lambda: by_row(rows),
        }
        rates: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(arguments.repeats):
            for name, run in work.items():
                started = time.perf_counter()
                count = run()
                rates[name].append(count / (time.perf_counter() - started))
        splits = len(Store(samples).row_groups("train"))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    limit = medians["Arrow, columns only"]
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            [
                "work",
                "samples_per_second",
                "of_arrow",
                "repeats",
                "row_groups",
                "cores",
                "processor",
                "torch",
                "pyarrow",
                "command",
            ]
        )
        for name, rate in medians.items():
            print(f"{name:<24} {rate:>12,.0f} samples/s  {rate / limit:.3f} of Arrow")
            writer.writerow(
                [
                    name,
                    f"{rate:.0f}",
                    f"{rate / limit:.4f}",
                    arguments.repeats,
                    splits,
                    os.cpu_count(),
                    platform.machine(),
                    str(torch.__version__),
                    pyarrow.__version__,
                    "python benchmarks/reader.py",
                ]
            )


if __name__ == "__main__":
    main()
