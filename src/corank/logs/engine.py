"""DuckDB in process, as this room uses it: spilling beside the output, never fetching extensions."""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from corank.errors import CorankError

_OUTSIDE_ERRORS = (
    duckdb.Error,  # the class itself: where it has no finer one, as for a damaged page
    duckdb.IOException,
    duckdb.InvalidInputException,
    duckdb.OutOfMemoryException,
    duckdb.SerializationException,
)
"""What DuckDB raises for a damaged file or a full disk; its other classes of error would be bugs of ours."""


@contextmanager
def engine(reads: Path, scratch_in: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC, its tables in a scratch folder (inside `scratch_in` if given) that goes after.

    `reads` is named when what is read turns out to be damaged.

    Raises:
        CorankError: a file is damaged beyond its footer, or memory or disk ran out.
    """
    with tempfile.TemporaryDirectory(prefix=".corank-", dir=scratch_in) as scratch:
        settings = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(Path(scratch) / "spill"),
        }
        with duckdb.connect(str(Path(scratch) / "tables.duckdb"), config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            with reading(reads):
                yield connection


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Around the work on a log's tables: name the folder when what is read turns out to be damaged.

    Raises:
        CorankError: a file is damaged beyond its footer, or memory or disk ran out.
    """
    try:
        yield
    except duckdb.Error as error:
        if type(error) not in _OUTSIDE_ERRORS:
            raise
        reason = str(error).strip().splitlines()[0]
        raise CorankError(
            f"{folder}: its tables cannot be read, or memory or disk ran out ({reason})"
        ) from error


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def name(column: str) -> str:
    """A column's name as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def literal(file: Path) -> str:
    """A file's path as an SQL literal that matches nothing else, should it hold `*`, `?` or `[`."""
    return quoted(glob.escape(str(file)))


def parquet(files: Iterable[Path]) -> str:
    """The SQL table that Parquet files make up; nothing is read out of their paths (no `key=value`)."""
    paths = ", ".join(literal(file) for file in files)
    return f"read_parquet([{paths}], hive_partitioning = false)"


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write a query's rows to a Parquet file, in the query's order; returns their number."""
    written = connection.execute(f"COPY ({query}) TO {quoted(str(path))} (FORMAT parquet, COMPRESSION zstd)")
    (rows,) = written.fetchone() or (0,)
    return int(rows)
