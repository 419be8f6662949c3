"""What the log offers: its files as they were, numeric columns to rank, sessions."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError, unknown
from corank.logs import LogTables
from corank.logs.schemas import SCHEMAS
from corank.samples.config import SampleConfig
from corank.samples.manifest import InputFile

MAGIC_BYTES = 8
"""The end of a Parquet file: four bytes with the footer's length, then its mark."""


def describe(logs: LogTables) -> dict[str, list[InputFile]]:
    """Name, size, rows and footer digest of every file of the five tables."""
    return {table: [_describe(logs.folder, file) for file in logs.files(table)] for table in logs.tables}


def _describe(folder: Path, file: Path) -> InputFile:
    size = file.stat().st_size
    with file.open("rb") as stream:
        stream.seek(size - MAGIC_BYTES)
        length = int.from_bytes(stream.read(4), "little")
        stream.seek(size - MAGIC_BYTES - length)
        footer = hashlib.sha256(stream.read(length)).hexdigest()
    with pq.ParquetFile(file) as parquet:
        rows = parquet.metadata.num_rows
    return InputFile(name=file.relative_to(folder).as_posix(), bytes=size, rows=rows, footer=footer)


def rank_columns(logs: LogTables, config: SampleConfig) -> tuple[str, ...]:
    """The candidate columns to rank.

    Raises:
        CorankError: one of them is not there or not numeric.
    """
    if config.rank_columns is None:
        return tuple(name for name in _numeric(logs) if name == "price")
    return _checked(logs, config.rank_columns, "rank_columns")


def relative_columns(logs: LogTables, config: SampleConfig) -> tuple[str, ...]:
    """The candidate columns to compare with those of the item touched last.

    Raises:
        CorankError: one of them is not there or not numeric.
    """
    if config.relative_columns is None:
        return _numeric(logs)
    return _checked(logs, config.relative_columns, "relative_columns")


def _numeric(logs: LogTables) -> tuple[str, ...]:
    """Numeric candidate columns known at ranking time."""
    schema = logs.schema("candidates")
    return tuple(
        field.name for field in schema if field.name not in SCHEMAS["candidates"] and _is_number(field.type)
    )


def _checked(logs: LogTables, columns: tuple[str, ...], where: str) -> tuple[str, ...]:
    schema = logs.schema("candidates")
    for column in columns:
        if column not in schema.names:
            raise unknown("column", column, schema.names, where=f"{where} (table candidates)")
        if not _is_number(schema.field(column).type):
            raise CorankError(
                f"{where}: candidates.{column} is {schema.field(column).type}, expected a number"
            )
    return columns


def scopes(logs: LogTables) -> dict[str, list[str]]:
    """Whose touches are counted: the user's, and the session's where requests and events both name it.

    Raises:
        CorankError: they name it in different types.
    """
    user = {"user": ["user_id"]}
    schemas = [logs.schema(table) for table in ("requests", "events")]
    if not all("session_id" in schema.names for schema in schemas):
        return user
    kinds = [schema.field("session_id").type for schema in schemas]
    if pa.types.is_integer(kinds[0]) != pa.types.is_integer(kinds[1]):
        raise CorankError(
            f"{logs.folder}: session_id is {kinds[0]} in requests but {kinds[1]} in events; expected one type"
        )
    return user | {"session": ["user_id", "session_id"]}


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
