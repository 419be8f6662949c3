"""The door through which every later step opens a log: its five tables exist and have their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError, unknown
from corank.logs.schemas import SCHEMAS, TABLES, check_columns, is_text, perhaps


@dataclass(frozen=True)
class TableFiles:
    """One table as it lies on disk: its path, the Parquet files that make it up, their schema and rows."""

    path: Path
    files: tuple[Path, ...]
    schema: pa.Schema
    rows: int


@dataclass(frozen=True)
class LogTables:
    """A log folder whose tables exist, are readable and have the required columns (see `open_logs`)."""

    folder: Path
    tables: Mapping[str, TableFiles]

    def path(self, table: str) -> Path:
        """The table's Parquet file, or its folder of Parquet files."""
        return self._table(table).path

    def files(self, table: str) -> tuple[Path, ...]:
        """The table's Parquet files, in the order of their names."""
        return self._table(table).files

    def schema(self, table: str) -> pa.Schema:
        """The table's Arrow schema, other columns included."""
        return self._table(table).schema

    def rows(self, table: str) -> int:
        """The table's number of rows."""
        return self._table(table).rows

    def _table(self, table: str) -> TableFiles:
        if table not in self.tables:
            raise unknown("log table", table, self.tables)
        return self.tables[table]


def open_logs(folder: Path) -> LogTables:
    """Open a folder of log tables; only file footers are read, never rows.

    Raises:
        CorankError: a table is missing, unreadable, or lacks a required column; a column has a type it
            may not have; or the tables `requests` or `candidates` are empty.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CorankError(f"{folder}: no such folder of log tables")
    tables = {name: _open_table(folder, name) for name in TABLES}
    _same_id_types(folder, tables)
    for name in ("requests", "candidates"):
        if not tables[name].rows:
            raise CorankError(f"{tables[name].path}: the table {name} is empty; expected at least one row")
    return LogTables(folder, MappingProxyType(tables))


def _open_table(folder: Path, name: str) -> TableFiles:
    """Find a table's files and check the footer of each."""
    path = _find(folder, name)
    files = _parts(path) if path.is_dir() else (path,)
    if not files:
        nested = "; subfolders are not read" if any(path.glob("*/**/*.parquet")) else ""
        raise CorankError(f"{path}: no Parquet files (*.parquet) in the folder of table {name}{nested}")
    first, rows = _footer(files[0])
    check_columns(files[0], name, first)
    for file in files[1:]:
        schema, more = _footer(file)
        _same_schema(file, schema, files[0], first)
        rows += more
    return TableFiles(path, files, first, rows)


def _parts(folder: Path) -> tuple[Path, ...]:
    """The Parquet files of a table's folder; names that begin with . or _ are what engines leave aside."""
    return tuple(sorted(part for part in folder.glob("*.parquet") if part.name[0] not in "._"))


def _find(folder: Path, name: str) -> Path:
    """The one path that holds a table."""
    found = [path for path in (folder / f"{name}.parquet", folder / name) if path.exists()]
    if len(found) == 1:
        return found[0]
    if found:
        raise CorankError(f"{folder}: table {name} is there twice, as {name}.parquet and as {name}; keep one")
    others = [p.stem for p in folder.iterdir() if p.stem not in TABLES and p.suffix in ("", ".parquet")]
    raise CorankError(
        f"{folder}: no table {name} ({name}.parquet, or a folder {name} of Parquet files)"
        + perhaps(name, others)
    )


def _footer(file: Path) -> tuple[pa.Schema, int]:
    """A Parquet file's schema and number of rows."""
    try:
        with pq.ParquetFile(file) as parquet:
            return parquet.schema_arrow, parquet.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "truncated or damaged?"
        raise CorankError(f"{file}: not readable as Parquet ({reason})") from None


def _same_schema(file: Path, schema: pa.Schema, first_file: Path, first: pa.Schema) -> None:
    """All files of a table hold the same columns."""
    odd = [name for name in schema.names if name not in first.names]
    odd += [
        field.name
        for field in first
        if field.name not in schema.names or schema.field(field.name).type != field.type
    ]
    if odd:
        raise CorankError(f"{file}: column '{odd[0]}' differs from the same table's file {first_file.name}")


def _same_id_types(folder: Path, tables: Mapping[str, TableFiles]) -> None:
    """An id is a number in every table or text in every table, or no row would find its partner."""
    for column in ("request_id", "user_id", "item_id"):
        homes = [name for name in TABLES if column in SCHEMAS[name]]
        text = [name for name in homes if is_text(tables[name].schema.field(column).type)]
        if text and len(text) < len(homes):
            numbers = [name for name in homes if name not in text]
            raise CorankError(
                f"{folder}: {column} is text in {' and '.join(text)} but a number in {' and '.join(numbers)};"
                " expected one type in all tables"
            )
