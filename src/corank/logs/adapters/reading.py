"""What adapters share to read a source's files: CSV or Parquet, every value as text, bad lines counted."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError, nearest
from corank.logs.engine import literal, name, parquet

SUFFIXES = (".csv", ".parquet")
"""The forms a source's file may have."""


def pick(folder: Path, stem: str) -> Path | None:
    """The file of that name in either form, if it is there.

    Raises:
        CorankError: both forms are there.
    """
    found = [path for suffix in SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()]
    if len(found) > 1:
        raise CorankError(f"{folder}: {stem} is there twice, as .csv and as .parquet; keep one")
    return found[0] if found else None


def query(file: Path, columns: Sequence[str]) -> str:
    """The query for `columns` of a file, all as text; rows of a CSV that do not parse go to `rejected`.

    Raises:
        CorankError: the file cannot be read or lacks one of the columns.
    """
    found = columns_of(file)
    for column in columns:
        if column not in found:
            raise CorankError(f"{file}: no column '{column}'{nearest(column, found)}")
    if file.suffix.lower() == ".parquet":
        return f"SELECT {_texts(columns, map(name, columns))} FROM {parquet([file])}"
    # by place, since a header may hold what cannot be named: nothing (an index), or names that differ in case
    places = (f"column{found.index(column)}" for column in columns)
    kinds = ", ".join(f"column{place}: 'VARCHAR'" for place in range(len(found)))
    return (
        f"SELECT {_texts(columns, places)} FROM read_csv({literal(file)}, columns = {{{kinds}}},"
        " auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', store_rejects = true,"
        " rejects_table = 'rejected', rejects_scan = 'rejected_scans')"
    )


def _texts(columns: Iterable[str], sources: Iterable[str]) -> str:
    """Columns as text, nothing as null; not bare, or the engine would move a TRY_CAST around one into the
    reading of a CSV file, where it rejects the whole line."""
    return ", ".join(
        f"nullif(CAST({source} AS VARCHAR), '') AS {name(column)}"
        for column, source in zip(columns, sources, strict=True)
    )


def columns_of(file: Path) -> list[str]:
    """The names of a file's columns.

    Raises:
        CorankError: the file cannot be read.
    """
    return _parquet_columns(file) if file.suffix.lower() == ".parquet" else _csv_columns(file)


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
