"""Finding and reading trivago's files: the log as Parquet or CSV, the hotels' properties as CSV."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError, nearest
from corank.logs.engine import literal, name, parquet, quoted

COLUMNS = (
    "user_id",
    "session_id",
    "timestamp",
    "step",
    "action_type",
    "reference",
    "platform",
    "city",
    "device",
    "current_filters",
    "impressions",
    "prices",
)
"""The log's columns as published."""

METADATA_COLUMNS = ("item_id", "properties")
"""The columns of item_metadata.csv."""


@dataclass(frozen=True)
class Source:
    """The files that `src` named: logs to be read one after another, and the hotels' properties if there."""

    logs: tuple[Path, ...]
    metadata: Path | None


def find(src: Path) -> Source:
    """The files of a Parquet file, a CSV file, or a folder as downloaded.

    Raises:
        CorankError: `src` is neither, or the folder has no train.csv.
    """
    if src.is_dir():
        train, test, metadata = (src / f"{part}.csv" for part in ("train", "test", "item_metadata"))
        if not train.is_file():
            raise CorankError(
                f"{src}: no train.csv in it; expected the folder of trivago's data set as downloaded"
            )
        return Source((train, test) if test.is_file() else (train,), metadata if metadata.is_file() else None)
    if src.suffix.lower() not in (".parquet", ".csv"):
        raise CorankError(f"{src}: expected a .parquet file, a .csv file or a folder with train.csv")
    return Source((src,), None)


def query(file: Path, columns: tuple[str, ...]) -> str:
    """The query for `columns` of a file, all as text; rows of a CSV that do not parse go to `rejected`.

    Raises:
        CorankError: the file cannot be read or lacks one of the columns.
    """
    found = _parquet_columns(file) if file.suffix.lower() == ".parquet" else _csv_columns(file)
    for column in columns:
        if column not in found:
            raise CorankError(f"{file}: no column '{column}'{nearest(column, found)}")
    wanted = ", ".join(f"CAST({name(column)} AS VARCHAR) AS {name(column)}" for column in columns)
    if file.suffix.lower() == ".parquet":
        return f"SELECT {wanted} FROM {parquet([file])}"
    texts = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in found)
    return (
        f"SELECT {wanted} FROM read_csv({literal(file)}, columns = {{{texts}}}, auto_detect = false,"
        " header = true, delim = ',', quote = '\"', escape = '\"', store_rejects = true,"
        " rejects_table = 'rejected', rejects_scan = 'rejected_scans')"
    )


def count_rejected(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    """The number of a CSV file's lines, so far as it was read, that did not parse."""
    if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rejected'").fetchone():
        return 0
    found = connection.execute(
        "SELECT count(DISTINCT (scan_id, line)) FROM rejected JOIN rejected_scans USING (scan_id, file_id)"
        " WHERE file_path = ?",
        [str(file)],
    ).fetchone()
    return int(found[0]) if found else 0


def _parquet_columns(file: Path) -> list[str]:
    try:
        return list(pq.read_schema(file).names)
    except (pa.ArrowException, OSError):
        raise CorankError(f"{file}: not readable as Parquet (truncated or damaged?)") from None


def _csv_columns(file: Path) -> list[str]:
    try:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            columns = next(csv.reader(stream), [])
    except (OSError, csv.Error) as error:
        raise CorankError(f"{file}: its header line cannot be read ({error.__class__.__name__})") from None
    if len(set(columns)) < len(columns):
        raise CorankError(f"{file}: a column name is there twice in its header line")
    return columns
