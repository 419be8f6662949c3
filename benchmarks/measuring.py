"""Work measured in a process of its own, in turns, and written with what a reader needs to judge it."""

from __future__ import annotations

import multiprocessing
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from corank.files import write_csv

RESULTS = Path(__file__).parent.parent / "results"

Work = Callable[[Path, Path], str]
"""Reads the first folder, makes the second; what it returns is told to whoever measured it."""

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """One piece of work.

    Attributes:
        seconds, cpu_seconds: wall-clock and processor time, of the process and those that it started.
        peak_gib: the most resident memory of the process since it began, plus that of those it started.
        started_seconds: what was done before the work, such as starting Spark.
        load: load of the machine before.
        told: what the work returned.
    """

    seconds: float
    cpu_seconds: float
    peak_gib: float
    started_seconds: float
    load: float
    told: str


def apart(work: Work, source: Path, out: Path, before: Callable[[Path], None] | None = None) -> Measured:
    """Do the work in a process of its own, after `before`, whose time is counted apart."""
    load = os.getloadavg()[0]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, work, source, out, before, load).result()


def in_turns(works: Mapping[str, Callable[[], Measured]], repeats: int) -> dict[str, list[Measured]]:
    """Run all works once, then all again...: what slows the machine for a while slows them all."""
    runs: dict[str, list[Measured]] = {name: [] for name in works}
    for turn in range(repeats):
        for name, run in works.items():
            runs[name].append(run())
            found = runs[name][-1]
            print(
                f"{turn + 1}/{repeats} {name:<20} {found.seconds:7.1f} s  "
                f"{found.cpu_seconds:.1f} s of processor  {found.peak_gib:5.2f} GiB  load {found.load:.1f}",
                flush=True,
            )
    return runs


def summary(runs: Sequence[Measured]) -> dict[str, object]:
    """Medians over the repeats, the range of the seconds, and the highest load and memory."""
    seconds = [run.seconds for run in runs]
    return {
        "seconds": f"{statistics.median(seconds):.2f}",
        "seconds_lowest": f"{min(seconds):.2f}",
        "seconds_highest": f"{max(seconds):.2f}",
        "cpu_seconds": f"{statistics.median(run.cpu_seconds for run in runs):.2f}",
        "peak_gib": f"{max(run.peak_gib for run in runs):.2f}",
        "repeats": len(runs),
        "load_before": f"{max(run.load for run in runs):.1f}",
    }


def ratio(ours: Sequence[Measured], theirs: Sequence[Measured]) -> tuple[float, float]:
    """Throughput of ours relative to theirs: by the median seconds, and by the median processor seconds."""

    def medians(of: Callable[[Measured], float]) -> float:
        return statistics.median(map(of, theirs)) / statistics.median(map(of, ours))

    return medians(lambda run: run.seconds), medians(lambda run: run.cpu_seconds)


def machine(packages: Sequence[str]) -> dict[str, object]:
    """Cores, processor, versions and the command (but for the work folder), for each line of a CSV."""
    words = sys.argv[1:]
    if "--work" in words:
        place = words.index("--work")
        del words[place : place + 2]
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *words]),
    }


def write(name: str, lines: Sequence[Mapping[str, object]], packages: Sequence[str]) -> None:
    """Write the lines, and what the machine is, as results/NAME.csv."""
    about = machine(packages)
    write_csv(RESULTS / f"{name}.csv", [{**line, **about} for line in lines])


def _measure(
    work: Work, source: Path, out: Path, before: Callable[[Path], None] | None, load: float
) -> Measured:
    began = time.perf_counter()
    if before is not None:
        before(out)
    started, started_cpu = time.perf_counter(), _processor_seconds()
    told = work(source, out)
    seconds, cpu = time.perf_counter() - started, _processor_seconds() - started_cpu
    return Measured(seconds, cpu, _peak_bytes() / 2**30, started - began, load, told)


def _children() -> list[str]:
    """Ids of the processes that this one started and theirs, where the system tells (Linux)."""
    found, ask = [], [str(os.getpid())]
    while ask:
        for task in Path(f"/proc/{ask.pop()}/task").glob("*/children"):
            ids = task.read_text().split()
            found += ids
            ask += ids
    return found


def _processor_seconds() -> float:
    """Of this process and those that it started."""
    total = time.process_time()
    for child in _children():
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(ticks) for ticks in fields[11:13]) / TICKS
    return total


def _peak_bytes() -> float:
    status = [Path(f"/proc/{process}/status") for process in ("self", *_children())]
    if not status[0].is_file():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024)
    # Not ru_maxrss, which begins with what the process held that this one was forked from.
    lines = [line for file in status for line in file.read_text().splitlines() if line.startswith("VmHWM")]
    return sum(int(line.split()[1]) for line in lines) * 1024
