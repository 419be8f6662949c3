"""The five log tables: their schemas, and the door through which every later step opens them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError, nearest, unknown

TIMESTAMP = pa.timestamp("us", tz="UTC")
"""Every time in a log: UTC microseconds."""

_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Z", "+00:00"})


@dataclass(frozen=True)
class Kind:
    """What a required column may hold: a test of its Arrow type, and the words for it."""

    expected: str
    accepts: Callable[[pa.DataType], bool]


def _is_text(kind: pa.DataType) -> bool:
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(values) or pa.types.is_large_string(values))


def _is_id(kind: pa.DataType) -> bool:
    return bool(pa.types.is_signed_integer(kind)) or _is_text(kind)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_utc(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind)) and kind.unit == "us" and kind.tz in _UTC_NAMES


ID = Kind("int64 or text", _is_id)
TEXT = Kind("text", _is_text)
FLAG = Kind("bool", pa.types.is_boolean)
COUNT = Kind("an integer", pa.types.is_integer)
NUMBER = Kind("float64", _is_number)
TIME = Kind("timestamp[us, UTC]", _is_utc)

SCHEMAS: Mapping[str, Mapping[str, Kind]] = MappingProxyType(
    {
        "requests": {"request_id": ID, "user_id": ID, "domain": TEXT, "timestamp": TIME, "query": TEXT},
        "candidates": {"request_id": ID, "item_id": ID, "exposed": FLAG, "position": COUNT},
        "events": {
            "user_id": ID,
            "item_id": ID,
            "timestamp": TIME,
            "action": TEXT,
            "domain": TEXT,
            "request_id": ID,
            "value": NUMBER,
        },
        "items": {"item_id": ID, "title": TEXT, "category": TEXT},
        "users": {"user_id": ID},
    }
)
"""The required columns of each table; any others may stand beside them."""

TABLES = tuple(SCHEMAS)
"""The names of the five tables."""


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
    files = tuple(sorted(path.glob("*.parquet"))) if path.is_dir() else (path,)
    if not files:
        nested = "; subfolders are not read" if any(path.glob("*/**/*.parquet")) else ""
        raise CorankError(f"{path}: no Parquet files (*.parquet) in the folder of table {name}{nested}")
    first, rows = _footer(files[0])
    _check_columns(files[0], name, first)
    for file in files[1:]:
        schema, more = _footer(file)
        _same_schema(file, schema, files[0], first)
        rows += more
    return TableFiles(path, files, first, rows)


def _find(folder: Path, name: str) -> Path:
    """The one path that holds a table."""
    found = [path for path in (folder / f"{name}.parquet", folder / name) if path.exists()]
    if len(found) == 1:
        return found[0]
    if found:
        raise CorankError(f"{folder}: table {name} is there twice, as {name}.parquet and as {name}; keep one")
    others = [p.stem for p in folder.iterdir() if p.stem not in TABLES and p.suffix in ("", ".parquet")]
    hint = nearest(name, others).replace("did you mean", "is it") if others else ""
    raise CorankError(
        f"{folder}: no table {name}; expected {name}.parquet or a folder {name} of Parquet files"
        + (hint if "is it" in hint else "")
    )


def _footer(file: Path) -> tuple[pa.Schema, int]:
    """A Parquet file's schema and number of rows."""
    try:
        with pq.ParquetFile(file) as parquet:
            return parquet.schema_arrow, parquet.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "truncated or damaged?"
        raise CorankError(f"{file}: not readable as Parquet ({reason})") from None


def _check_columns(file: Path, table: str, schema: pa.Schema) -> None:
    """Every required column is there once, with a type it may have."""
    lowered = [column.lower() for column in schema.names]
    for column, lower in zip(schema.names, lowered, strict=True):
        if lowered.count(lower) > 1:
            raise CorankError(
                f"{file}: table {table} has several columns called '{column}' (upper and lower case are one)"
            )
    for column, kind in SCHEMAS[table].items():
        if column not in schema.names:
            raise CorankError(
                f"{file}: table {table} lacks the column '{column}' ({kind.expected})"
                + nearest(column, schema.names)
            )
        found = schema.field(column).type
        if not kind.accepts(found):
            raise CorankError(
                f"{file}: {table}.{column} is {found}, expected {kind.expected}"
                + _cast_hint(column, found, kind)
            )


def _cast_hint(column: str, found: pa.DataType, kind: Kind) -> str:
    """How to mend a column of the wrong type, where that is not plain from the types."""
    if pa.types.is_null(found):
        return "; a column without any values has no type of its own: cast it when writing"
    if kind is COUNT and pa.types.is_floating(found):
        return "; whole numbers with nulls became floats: cast to a nullable integer (pandas: 'Int64')"
    if kind is not TIME:
        return ""
    if not pa.types.is_timestamp(found):
        return f"; cast it (DuckDB: make_timestamptz(CAST({column} AS BIGINT)) if it counts microseconds)"
    if found.tz is None:
        return (
            "; it has no time zone: if its values are UTC, cast it"
            f" (pandas: {column}.dt.tz_localize('UTC').dt.as_unit('us'))"
        )
    if found.tz not in _UTC_NAMES:
        return f"; convert it (pandas: {column}.dt.tz_convert('UTC').dt.as_unit('us'))"
    return f"; cast it to microseconds (pandas: {column}.dt.as_unit('us'))"


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
        text = [name for name in homes if _is_text(tables[name].schema.field(column).type)]
        if text and len(text) < len(homes):
            numbers = [name for name in homes if name not in text]
            raise CorankError(
                f"{folder}: {column} is text in {_listed(text)} but a number in {_listed(numbers)};"
                " expected one type in all tables"
            )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)
