"""A log whose tables are several times the memory budget: the peak of the process, and the same bytes.

Run: python benchmarks/es3_memory.py [--budget 600MB] [--searches 1100000] [--work FOLDER] [--alone]
Simulates a log (or finds it in the work folder) and builds the recipe es3 without a budget and within it,
each in a process of its own; asserts that the fingerprints are equal. By default the tables are 5 times the
budget, as `corank.samples.memory.table_bytes` counts them. Writes results/bench_es3_memory.csv. With
`--alone`, for logs too large to be built without a budget, only the build within it:
results/bench_es3_memory_alone.csv.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from functools import partial
from pathlib import Path

from corank.logs import open_logs
from corank.samples import build_samples
from corank.samples.memory import parse_memory, shards_for, table_bytes
from es3 import PACKAGES, corank, simulated
from es3_scale import about
from measuring import Measured, apart, in_turns, summary, write


def within(logs: Path, out: Path, budget: str) -> str:
    """The recipe within a budget; returns the fingerprint of its files."""
    return build_samples(logs, out, recipe="es3", memory=budget).fingerprint


def build(logs: Path, out: Path, budget: str | None) -> Measured:
    """One build, its output removed before."""
    shutil.rmtree(out, ignore_errors=True)
    return apart(corank if budget is None else partial(within, budget=budget), logs, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--budget", default="600MB")
    parser.add_argument("--searches", type=int, default=1_100_000)
    parser.add_argument("--work", type=Path, help="a folder for logs that is kept")
    parser.add_argument("--alone", action="store_true", help="leave out the build without a budget")
    chosen = parser.parse_args()
    budget = parse_memory(chosen.budget)
    with tempfile.TemporaryDirectory(dir=chosen.work) as scratch:
        logs, out = simulated(chosen.work or Path(scratch), chosen.searches), Path(scratch) / "out"
        limits = {chosen.budget: chosen.budget}
        if not chosen.alone:
            limits = {"no budget": None} | limits
        runs = in_turns({name: partial(build, logs, out, limit) for name, limit in limits.items()}, 1)
        tables = open_logs(logs)
        lines = [
            {
                "budget": name,
                "shards": 1 if limits[name] is None else shards_for(tables, budget),
                **about(logs),
                "tables_per_budget": f"{table_bytes(tables) / budget:.2f}",
                **summary(found),
                "peak_per_budget": f"{found[0].peak_gib * 2**30 / budget:.2f}",
                "fingerprint": found[0].told,
            }
            for name, found in runs.items()
        ]
    for line in lines:
        print("  ".join(f"{key} {value}" for key, value in line.items()))
    assert len({line["fingerprint"] for line in lines}) == 1, "other bytes within the budget"
    write("bench_es3_memory" + ("_alone" if chosen.alone else ""), lines, PACKAGES)


if __name__ == "__main__":
    main()
