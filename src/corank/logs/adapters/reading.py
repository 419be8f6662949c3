"""Finding and reading a data set's files, CSV or Parquet, all columns as text."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError, nearest
from corank.logs.engine import literal, name, parquet, quoted
from corank.logs.schemas import perhaps


@dataclass(frozen=True)
class TextFormat:
    """How a file of lines is written; an empty `quote` means that quotes are characters like others.

    `nulls` are the texts that stand for nothing, whatever kind of file they are found in.
    """

    delimiter: str = ","
    quote: str = '"'
    nulls: tuple[str, ...] = ()


CSV = TextFormat()

SUFFIXES = (".csv", ".parquet")
"""The two forms of a file that is published as CSV."""

MALFORMED = ("malformed_line", "line of a file that does not parse")


@dataclass(frozen=True)
class Files:
    """Files read one after another as one table, all as text: none are an empty table.

    Attributes:
        paths: CSV or Parquet files.
        columns: what is read of each, by its names as published.
        form: how files of lines are written.
        malformed: the reason, and its meaning, under which lines that do not parse are counted.
    """

    paths: Sequence[Path]
    columns: Sequence[str]
    form: TextFormat = CSV
    malformed: tuple[str, str] = MALFORMED

    def query(self) -> str:
        """The query for the columns of all files, with the name of a row's `file`.

        Raises:
            CorankError: a file cannot be read or lacks a column.
        """
        nothing = ", ".join(f"CAST(NULL AS VARCHAR) AS {name(column)}" for column in self.columns)
        tables = [
            f"SELECT *, {quoted(path.name)} AS file FROM ({query(path, self.columns, self.form)})"
            for path in self.paths
        ]
        return " UNION ALL ".join(tables) or f"SELECT {nothing}, '' AS file WHERE false"


@dataclass(frozen=True)
class FileSet:
    """A data set's files: what it is called, the columns used of each by published name, the format."""

    what: str
    columns: Mapping[str, Sequence[str]]
    form: TextFormat = CSV

    def find(self, folder: Path) -> dict[str, Files]:
        """The files by their published names: each as published, or as Parquet with the same stem.

        Raises:
            CorankError: `folder` is not one, or a file is missing or there in both forms.
        """
        if not folder.is_dir():
            raise CorankError(f"{folder}: expected the folder of {self.what}, with {', '.join(self.columns)}")
        found = {}
        for published in self.columns:
            forms = [folder / published, (folder / published).with_suffix(".parquet")]
            there = [file for file in forms if file.is_file()]
            if not there:
                hint = perhaps(published, [file.name for file in folder.iterdir()])
                raise CorankError(f"{folder}: no {published} in it; expected the folder of {self.what}{hint}")
            if len(there) > 1:
                raise CorankError(f"{folder}: {published} is there twice, also as {forms[1].name}; keep one")
            found[published] = Files(there, self.columns[published], self.form)
        return found


def query(file: Path, columns: Sequence[str], form: TextFormat = CSV) -> str:
    """The query for `columns` of a file, all as text; lines that do not parse go to the table `rejected`.

    Raises:
        CorankError: the file cannot be read or lacks one of the columns.
    """
    found = columns_of(file, form)
    for column in columns:
        if column not in found:
            raise CorankError(f"{file}: no column '{column}'{nearest(column, found)}")
    if _is_parquet(file):
        wanted = ", ".join(f"{_text(name(column), form)} AS {name(column)}" for column in columns)
        return f"SELECT {wanted} FROM {parquet([file])}"
    # by place, since a header may hold what cannot be named: nothing (an index), or names that differ in case
    places = {column: f"column{place}" for place, column in enumerate(found)}
    wanted = ", ".join(f"{_text(places[column], form)} AS {name(column)}" for column in columns)
    texts = ", ".join(f"{place}: 'VARCHAR'" for place in places.values())
    mark = quoted(form.quote)
    return (
        f"SELECT {wanted} FROM read_csv({literal(file)}, columns = {{{texts}}}, auto_detect = false,"
        f" header = true, delim = {quoted(form.delimiter)}, quote = {mark}, escape = {mark},"
        " store_rejects = true, rejects_table = 'rejected', rejects_scan = 'rejected_scans')"
    )


def columns_of(file: Path, form: TextFormat = CSV) -> list[str]:
    """The names of a file's columns.

    Raises:
        CorankError: the file cannot be read.
    """
    return _parquet_columns(file) if _is_parquet(file) else _csv_columns(file, form)


def count_rejected(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    """The number of a file's lines, so far as it was read, that did not parse."""
    if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rejected'").fetchone():
        return 0
    found = connection.execute(
        "SELECT count(DISTINCT (scan_id, line)) FROM rejected JOIN rejected_scans USING (scan_id, file_id)"
        " WHERE file_path = ?",
        [str(file)],
    ).fetchone()
    return int(found[0]) if found else 0


def _text(source: str, form: TextFormat) -> str:
    """A column as text, null where it is empty or stands for nothing.

    Never the bare column: a TRY_CAST around one would be moved into the reading of a CSV file, and reject the
    line (DuckDB's type_pushdown).
    """
    text = f"CAST({source} AS VARCHAR)"
    nulls = ", ".join(map(quoted, dict.fromkeys(("", *form.nulls))))
    return f"CASE WHEN {text} NOT IN ({nulls}) THEN {text} END"


def _is_parquet(file: Path) -> bool:
    return file.suffix.lower() == ".parquet"


def _parquet_columns(file: Path) -> list[str]:
    try:
        return list(pq.read_schema(file).names)
    except (pa.ArrowException, OSError):
        raise CorankError(f"{file}: not readable as Parquet (truncated or damaged?)") from None


def _csv_columns(file: Path, form: TextFormat) -> list[str]:
    try:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            reader = csv.reader(
                stream,
                delimiter=form.delimiter,
                quotechar=form.quote or None,
                quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
            )
            columns = next(reader, [])
    except (OSError, csv.Error) as error:
        raise CorankError(f"{file}: its header line cannot be read ({error.__class__.__name__})") from None
    if len(set(columns)) < len(columns):
        raise CorankError(f"{file}: a column name is there twice in its header line")
    return columns
