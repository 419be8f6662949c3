"""The audit of a log and of its samples, with their pages: time and memory.

Run: python benchmarks/audit.py [--size m] [--logs FOLDER]
Simulates a log (or takes the one in FOLDER), builds samples with the recipe es3, and audits both, each in a
process of its own. Writes results/bench_audit.csv. The log is simulated.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import ParamSpec, TypeVar

from corank import verbs
from corank.files import whole_file
from corank.logs import open_logs
from corank.logs.marketplace import simulate
from corank.samples import build_samples, read_manifest

P = ParamSpec("P")
T = TypeVar("T")
RESULTS = Path(__file__).parent.parent / "results" / "bench_audit.csv"
HEADER = ("audited", "rows", "seconds", "cpu_seconds", "peak_gib", "load_before", "cores", "processor")
PACKAGES = ("corank", "duckdb", "pyarrow")


def alone(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run in a process of its own; this one must stay small, for a process begins with its parent's peak."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(work, *args, **kwargs).result()


def make(logs: Path, samples: Path, size: str | None) -> None:
    """Simulate a log of a size, if one is given, and build its samples."""
    if size is not None:
        simulate(logs, size, "market", 0)
    build_samples(logs, samples, recipe="es3")


def measure(folder: Path, page: Path) -> tuple[str, str, str]:
    """Wall-clock and processor seconds, and peak memory of this process, which should be fresh."""
    wall, cpu = time.perf_counter(), time.process_time()
    verbs.audit(folder, page)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"{time.perf_counter() - wall:.1f}", f"{time.process_time() - cpu:.1f}", f"{peak:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="m")
    parser.add_argument("--logs", type=Path)
    chosen = parser.parse_args()
    machine = (os.cpu_count(), platform.machine(), platform.python_version(), *map(version, PACKAGES))
    lines: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as scratch:
        logs, samples = chosen.logs or Path(scratch) / "logs", Path(scratch) / "samples"
        alone(make, logs, samples, None if chosen.logs else chosen.size)
        stored = sum(size.total.samples for size in read_manifest(samples).sizes.values())
        for name, folder, rows in (
            ("log", logs, open_logs(logs).rows("candidates")),
            ("samples, es3", samples, stored),
        ):
            load = f"{os.getloadavg()[0]:.1f}"
            measured = alone(measure, folder, Path(scratch) / "page.html")
            lines.append((name, rows, *measured, load, *machine))
            print(lines[-1])
            (Path(scratch) / "page.html").unlink()
    with whole_file(RESULTS) as aside, aside.open("w", newline="") as file:
        file.write(f"# python benchmarks/audit.py --size {chosen.size}; simulated\n")
        csv.writer(file).writerows([(*HEADER, "python", *PACKAGES), *lines])


if __name__ == "__main__":
    main()
