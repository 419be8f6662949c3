"""Log tables to samples, against what DuckDB needs just to read and sort the candidates.

Run: python benchmarks/samples.py [--size m] [--logs FOLDER] [--limit 30]
Simulates a log (or takes the one in FOLDER), builds it with every recipe, each in a process of its own,
prints a table and writes results/bench_samples.csv. Exits with status 1 if a build takes more than LIMIT
times the processor seconds of the sort, a bound that holds on other and on busy machines too.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import duckdb

from corank.logs import open_logs
from corank.logs.marketplace import simulate
from corank.samples import build_samples

RESULTS = Path(__file__).parent.parent / "results" / "bench_samples.csv"


@dataclass(frozen=True)
class Measured:
    """One piece of work: wall-clock and processor seconds, peak memory of its process, rows written."""

    seconds: float
    cpu_seconds: float
    peak_gib: float
    rows: int


WORK = {
    "exposed": ("exposed", ()),
    "unexposed": ("unexposed", ()),
    "no exposure counts": ("unexposed", ("exposure_counts=false",)),
}
"""Name in the table -> recipe and settings."""


def build(logs: Path, out: Path, name: str) -> int:
    """Build samples; returns how many."""
    recipe, settings = WORK[name]
    manifest = build_samples(logs, out, recipe=recipe, settings=settings, overwrite=True)
    return sum(size.total.samples for size in manifest.sizes.values())


def scan_and_sort(logs: Path, out: Path, name: str) -> int:
    """Read the candidates of search requests and sort them by request and item: no build could do less."""
    del out, name
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"CREATE TABLE sorted AS {search_candidates(logs)} ORDER BY request_id, item_id")
        return int(connection.execute("SELECT count(*) FROM sorted").fetchall()[0][0])


def search_candidates(logs: Path) -> str:
    """A query for the candidates that samples are made from."""
    tables = open_logs(logs)
    files = {name: [str(file) for file in tables.files(name)] for name in ("candidates", "requests")}
    return (
        f"SELECT c.* FROM read_parquet({files['candidates']}) c SEMI JOIN"
        f" (FROM read_parquet({files['requests']}) WHERE domain = 'search') r USING (request_id)"
    )


def measure(work: Callable[[Path, Path, str], int], logs: Path, out: Path, name: str) -> Measured:
    """Run in this process, which should be fresh: peak memory is the process's."""
    started, started_cpu = time.perf_counter(), time.process_time()
    rows = work(logs, out, name)
    seconds, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Measured(seconds, cpu, peak * (1 if sys.platform == "darwin" else 1024) / 2**30, rows)


def measure_apart(work: Callable[[Path, Path, str], int], logs: Path, out: Path, name: str) -> Measured:
    """Run in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, work, logs, out, name).result()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", default="m", help="size of the simulated marketplace")
    parser.add_argument("--logs", type=Path, help="a log folder to take instead")
    parser.add_argument("--limit", type=float, default=30.0, help="most times the sort's")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        logs = arguments.logs or Path(folder) / "logs"
        if arguments.logs is None:
            simulate(logs, size=arguments.size, seed=0)
        base = measure_apart(scan_and_sort, logs, Path(folder), "")
        runs = {"read and sort": base}
        for name in WORK:
            runs[name] = measure_apart(build, logs, Path(folder) / "samples", name)
    header = (
        "work",
        "seconds",
        "cpu_seconds",
        "peak_gib",
        "candidates",
        "candidates_per_second",
        "rows",
        "ratio",
    )
    lines = [
        (
            name,
            round(run.seconds, 1),
            round(run.cpu_seconds, 1),
            round(run.peak_gib, 2),
            base.rows,
            round(base.rows / run.seconds),
            run.rows,
            round(run.cpu_seconds / base.cpu_seconds, 1),
        )
        for name, run in runs.items()
    ]
    for line in (header, *lines):
        print("".join(f"{value:>{max(len(name), 18) + 2}}" for name, value in zip(header, line, strict=True)))
    machine = {
        "load_before": round(load, 1),
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("corank", "duckdb", "ibis-framework", "pyarrow")},
        "command": "python benchmarks/samples.py " + " ".join(sys.argv[1:]),
    }
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*header, *machine])
        writer.writerows([*line, *machine.values()] for line in lines)
    slowest = max(run.cpu_seconds / base.cpu_seconds for run in runs.values())
    if slowest > arguments.limit:
        print(
            f"a build took {slowest:.1f} times the processor seconds of the sort, more than {arguments.limit}"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
