"""The schemas of the five log tables, and the check of a file's columns against them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from corank.errors import CorankError, nearest

TIMESTAMP = pa.timestamp("us", tz="UTC")
"""Every time in a log: UTC microseconds."""

_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Z", "+00:00"})

RESERVED = frozenset({"__row", "file_index", "file_row_number"})
"""Names that no column may have: rows are numbered by them."""


@dataclass(frozen=True)
class Kind:
    """What a required column may hold: a test of its Arrow type, and the words for it."""

    expected: str
    accepts: Callable[[pa.DataType], bool]


def is_text(kind: pa.DataType) -> bool:
    """Is it text, plain or dictionary-encoded?"""
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(values) or pa.types.is_large_string(values))


def _is_id(kind: pa.DataType) -> bool:
    return bool(pa.types.is_signed_integer(kind)) or is_text(kind)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_utc(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind)) and kind.unit == "us" and kind.tz in _UTC_NAMES


ID = Kind("int64 or text", _is_id)
TEXT = Kind("text", is_text)
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


def perhaps(name: str, found: Iterable[str]) -> str:
    """A closing hint that one of the names found is the one missed, or nothing if none is close."""
    hint = nearest(name, found)
    return hint if "did you mean" in hint else ""


def check_columns(file: Path, table: str, schema: pa.Schema) -> None:
    """Every required column is there once, with a type it may have.

    Raises:
        CorankError: one is not.
    """
    lowered = [column.lower() for column in schema.names]
    for column, lower in zip(schema.names, lowered, strict=True):
        if lowered.count(lower) > 1:
            raise CorankError(
                f"{file}: table {table} has several columns called '{column}' (upper and lower case are one)"
            )
        if lower in RESERVED:
            raise CorankError(f"{file}: table {table} may not have a column '{column}': the name is reserved")
    for column, kind in SCHEMAS[table].items():
        if column not in schema.names:
            raise CorankError(
                f"{file}: table {table} lacks the column '{column}' ({kind.expected})"
                + perhaps(column, schema.names)
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
        return "; cast it (from seconds in pandas: pd.to_datetime(s, unit='s', utc=True).dt.as_unit('us'))"
    if found.tz is None:
        return (
            "; it has no time zone: if its values are UTC, cast it"
            f" (pandas: {column}.dt.tz_localize('UTC').dt.as_unit('us'))"
        )
    if found.tz not in _UTC_NAMES:
        return f"; convert it (pandas: {column}.dt.tz_convert('UTC').dt.as_unit('us'))"
    return f"; cast it to microseconds (pandas: {column}.dt.as_unit('us'))"
