"""How time and memory of the recipe es3 grow with the log.

Run: python benchmarks/es3_scale.py [--searches 80000 160000 400000 800000] [--repeats 1] [--work FOLDER]
Simulates logs (or finds them in the work folder) of about 0.2 to 2 million requests in all domains, builds
each in a process of its own, and fits time = a * requests^b by least squares of the logarithms. Simulation is
not timed. Writes results/bench_es3_scale.csv.
"""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from corank.logs import open_logs
from corank.samples.memory import table_bytes
from es3 import PACKAGES, corank, simulated
from measuring import Measured, apart, in_turns, summary, write


def about(logs: Path) -> dict[str, object]:
    """The log's size: rows, bytes of its tables as a memory budget counts them, and on disk."""
    tables = open_logs(logs)
    files = [file for name in tables.tables for file in tables.files(name)]
    return {
        "requests": tables.rows("requests"),
        "candidates": tables.rows("candidates"),
        "table_gb": f"{table_bytes(tables) / 1e9:.3f}",
        "parquet_gb": f"{sum(file.stat().st_size for file in files) / 1e9:.3f}",
    }


def build(logs: Path, out: Path) -> Measured:
    """One build, its output removed before."""
    shutil.rmtree(out, ignore_errors=True)
    return apart(corank, logs, out)


def exponent(lines: list[dict[str, object]], column: str) -> str:
    """The b of the fit of a column against the requests."""
    requests, values = ([math.log(float(str(line[key]))) for line in lines] for key in ("requests", column))
    return f"{np.polyfit(requests, values, 1)[0]:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--searches", type=int, nargs="+", default=[80_000, 160_000, 400_000, 800_000])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--work", type=Path, help="a folder for logs that is kept")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.work) as scratch:
        logs = {str(n): simulated(chosen.work or Path(scratch), n) for n in chosen.searches}
        out = Path(scratch) / "out"
        runs = in_turns({n: partial(build, log, out) for n, log in logs.items()}, chosen.repeats)
        lines = [{**about(log), **summary(runs[n])} for n, log in logs.items()]
    fits = {
        f"exponent_{column}": exponent(lines, column) for column in ("seconds", "cpu_seconds", "peak_gib")
    }
    lines = [line | fits for line in lines]
    for line in lines:
        print("  ".join(f"{key} {value}" for key, value in line.items()))
    write("bench_es3_scale", lines, PACKAGES)


if __name__ == "__main__":
    main()
