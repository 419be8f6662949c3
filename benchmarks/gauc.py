"""Exact GAUC of 2 million rows in 200 thousand groups, against the usual loop over a pandas groupby.

Run: python benchmarks/gauc.py [--rows 2000000] [--groups 200000] [--repeats 3]
Prints a table and writes results/bench_gauc.csv; needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from corank.evaluation import gauc, rank
from corank.evaluation.arrays import Bools, Floats, Ints
from corank.files import write_csv

RESULTS = Path(__file__).parent.parent / "results" / "bench_gauc.csv"


def data(rows: int, groups: int, seed: int) -> tuple[Floats, Bools, Ints]:
    """Scores with ties (three digits), labels at 10 %, groups of uneven sizes."""
    generator = np.random.default_rng(seed)
    return (
        generator.random(rows).round(3),
        generator.random(rows) < 0.1,
        generator.integers(groups, size=rows),
    )


def with_corank(scores: Floats, labels: Bools, groups: Ints) -> float:
    """Sorting included."""
    return gauc(rank(scores, groups), labels).value


def with_pandas(scores: Floats, labels: Bools, groups: Ints) -> float:
    """A loop over the groups with the rank-sum formula, mid-ranks for ties."""
    frame = pd.DataFrame({"score": scores, "label": labels, "group": groups})
    total = mass = 0.0
    for _, group in frame.groupby("group", sort=False):
        positives = int(group["label"].sum())
        negatives = len(group) - positives
        if positives and negatives:
            ranks = group["score"].rank().to_numpy()[group["label"].to_numpy()].sum()
            area = (ranks - positives * (positives + 1) / 2) / (positives * negatives)
            total, mass = total + area * len(group), mass + len(group)
    return total / mass


def seconds(measure: Callable[[], float], repeats: int) -> tuple[float, list[float]]:
    """The value, and the time of each repeat."""
    times = []
    value = 0.0
    for _ in range(repeats):
        started = time.perf_counter()
        value = measure()
        times.append(time.perf_counter() - started)
    return value, times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--groups", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    inputs = data(chosen.rows, chosen.groups, seed=0)
    ours, our_times = seconds(lambda: with_corank(*inputs), chosen.repeats)
    theirs, their_times = seconds(lambda: with_pandas(*inputs), chosen.repeats)
    if abs(ours - theirs) > 1e-9:
        sys.exit(f"the two differ: {ours} and {theirs}")
    ratio = statistics.median(their_times) / statistics.median(our_times)
    facts = {
        "rows": chosen.rows,
        "groups": chosen.groups,
        "repeats": chosen.repeats,
        "gauc": f"{ours:.9f}",
        "ratio": f"{ratio:.1f}",
        "seed": 0,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "command": f"python benchmarks/gauc.py --rows {chosen.rows} --groups {chosen.groups} "
        f"--repeats {chosen.repeats}",
    }
    rows = [
        {"method": method, "median_s": f"{statistics.median(times):.3f}",
         "min_s": f"{min(times):.3f}", "max_s": f"{max(times):.3f}", **facts}
        for method, times in (("corank", our_times), ("pandas loop", their_times))
    ]  # fmt: skip
    for row in rows:
        print(f"{row['method']:<12} median {row['median_s']} s  ({row['min_s']} to {row['max_s']})")
    print(f"corank is {ratio:.1f} times as fast; GAUC {ours:.9f} in both")
    write_csv(RESULTS, rows)


if __name__ == "__main__":
    main()
