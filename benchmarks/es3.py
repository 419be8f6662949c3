"""The recipe es3 against hand-written DuckDB SQL that makes the same rows, against Spark, and against pandas.

Run: python benchmarks/es3.py [--searches 60000] [--repeats 3] [--spark 20000] [--spark-repeats 1]
     [--work FOLDER]
Simulates logs (or finds them in the work folder), first asserts on a small one that every version makes the
same rows in the same order, then times them in turns, each in a process of its own. On the largest log: the
whole recipe against `benchmarks/es3_sql`, and the recipe `attributed` against `benchmarks/es3_pandas.py`. On
another: the whole recipe against Spark here, whose start is timed apart. Writes results/bench_es3.csv.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from corank.logs.marketplace import simulate
from corank.samples import build_samples, read_manifest
from es3_pandas import attributed_in_pandas
from measuring import Measured, apart, in_turns, ratio, summary, write

SCRIPTS = sorted((Path(__file__).parent / "es3_sql").glob("*.sql"))
TABLES = ("train", "valid", "test", "items", "histories", "labels")
SPARK = "local[2]"
SMALL = 2_000
"""Searches of the log on which all versions are compared."""

PACKAGES = ("corank", "duckdb", "ibis-framework", "pyarrow")


def corank(logs: Path, out: Path) -> str:
    """The whole recipe on DuckDB; returns the fingerprint of its files."""
    return build_samples(logs, out, recipe="es3").fingerprint


def corank_attributed(logs: Path, out: Path) -> str:
    """The recipe without pseudo requests."""
    return build_samples(logs, out, recipe="attributed").fingerprint


def corank_on_spark(logs: Path, out: Path) -> str:
    """The same expressions on the Spark session that this process has."""
    return build_samples(logs, out, recipe="es3", engine="spark", master=SPARK).fingerprint


def start_spark(out: Path) -> None:
    """A session as a build would start it, and one small query, so that it is up."""
    from corank.samples.spark_session import connect

    scratch = out.with_name("session")
    scratch.mkdir(exist_ok=True)
    session, _ = connect(SPARK, scratch)
    session.range(10).count()


def hand_written(logs: Path, out: Path) -> str:
    """The same rows by the scripts of `es3_sql`."""
    out.mkdir()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        for script in SCRIPTS:
            connection.execute(script.read_text().replace("$logs", str(logs)).replace("$out", str(out)))
    return ""


def table(folder: Path, name: str) -> pa.Table:
    """A table of a samples folder, or of what other versions made: one file, or a folder of them."""
    files = sorted((folder / name).glob("*.parquet")) or [folder / f"{name}.parquet"]
    return pa.concat_tables([pq.ParquetFile(file).read() for file in files]).combine_chunks()


def assert_same(ours: Path, theirs: Path) -> None:
    """Every column of every row of every table is the same, in the same order."""
    for name in TABLES:
        expected, found = table(ours, name), table(theirs, name)
        assert found.column_names == expected.column_names, f"{name}: other columns"
        for column in expected.column_names:
            values = found[column].cast(expected[column].type)
            assert values.equals(expected[column]), f"{name}.{column} differs"


def run(work: str, logs: Path, out: Path) -> Measured:
    """One of `WORKS`, its output removed before."""
    shutil.rmtree(out, ignore_errors=True)
    return apart(WORKS[work], logs, out, start_spark if work == "spark" else None)


WORKS = {
    "corank": corank,
    "hand-written SQL": hand_written,
    "spark": corank_on_spark,
    "corank, attributed": corank_attributed,
    "pandas, attributed": attributed_in_pandas,
}
OURS = {"hand-written SQL": "corank", "spark": "corank", "pandas, attributed": "corank, attributed"}
"""Each other work, and what it is compared with."""


def simulated(folder: Path, searches: int) -> Path:
    """A log of about so many searches, made unless it is there."""
    logs = folder / f"logs-{searches}"
    if not logs.exists():
        print(f"simulating {searches} searches", flush=True)
        simulate(logs, settings=[f"requests={searches}"], seed=0)
    return logs


def compared(names: list[str], logs: Path, work: Path, repeats: int) -> list[dict[str, object]]:
    """The lines of some works on one log."""
    runs = in_turns(
        {name: partial(run, name, logs, work / name.replace(" ", "-")) for name in names}, repeats
    )
    size = read_manifest(work / names[0])
    lines: list[dict[str, object]] = []
    for name in names:
        wall, cpu = ratio(runs[OURS[name]], runs[name]) if name in OURS else (None, None)
        lines.append(
            {
                "work": name,
                "requests": sum(file.rows for file in size.inputs["requests"]),
                **summary(runs[name]),
                "started_seconds": f"{max(one.started_seconds for one in runs[name]):.1f}",
                "compared_with": OURS.get(name, ""),
                "corank_throughput": "" if wall is None else f"{wall:.2f}",
                "corank_throughput_by_cpu": "" if cpu is None else f"{cpu:.2f}",
            }
        )
    return lines


def check(logs: Path, work: Path, spark: bool) -> None:
    """All versions make the same rows on a log."""
    done = {
        name: run(name, logs, work / name.replace(" ", "-")) for name in WORKS if spark or name != "spark"
    }
    for name, ours in OURS.items():
        if name == "spark" and spark:
            assert done["spark"].told == done["corank"].told, "Spark makes other bytes"
        elif name != "spark":
            assert_same(work / ours.replace(" ", "-"), work / name.replace(" ", "-"))
    print("all versions make the same rows", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--searches", type=int, default=60_000, help="of the largest log")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--spark", type=int, default=20_000, help="searches of the log for Spark; 0: without")
    parser.add_argument("--spark-repeats", type=int, default=1)
    parser.add_argument("--work", type=Path, help="a folder for logs that is kept")
    chosen = parser.parse_args()
    spark = bool(chosen.spark) and find_spec("pyspark") is not None and shutil.which("java") is not None
    with tempfile.TemporaryDirectory() as scratch:
        kept, work = chosen.work or Path(scratch), Path(scratch)
        check(simulated(kept, SMALL), work, spark)
        names = ["corank", "hand-written SQL", "corank, attributed", "pandas, attributed"]
        lines = compared(names, simulated(kept, chosen.searches), work, chosen.repeats)
        assert_same(work / "corank", work / "hand-written-SQL")
        write("bench_es3", lines, PACKAGES)
        if spark:
            lines += compared(["corank", "spark"], simulated(kept, chosen.spark), work, chosen.spark_repeats)
            write("bench_es3", lines, PACKAGES)
    for line in lines:
        print("  ".join(f"{key} {value}" for key, value in line.items() if value != ""))


if __name__ == "__main__":
    main()
