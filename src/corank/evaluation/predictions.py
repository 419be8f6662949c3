"""Scored samples as arrays, read from a Parquet file that is checked as one from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corank.errors import CorankError, nearest
from corank.evaluation.arrays import Bools, Floats, Ints

COLUMNS = (
    "request_id", "user_id", "item_id", "domain", "exposed", "position",
    "label_click", "label_purchase", "weight", "score", "cold_item", "cold_user",
)  # fmt: skip
"""What evaluation reads of a predictions file; other columns are left alone."""
ANYWHERE = ("anywhere_click", "anywhere_purchase")
"""Labels of all channels, which a file may have: both or neither."""
PURCHASE = "score_purchase"
"""The score of purchases, which a file may have."""


@dataclass(frozen=True)
class Predictions:
    """Scored samples, one element a row; requests, users and domains are numbered from 0 without gaps."""

    ids: pa.Table
    """request_id and item_id as they were read: which rows these are."""
    request: Ints
    user: Ints
    domain: Ints
    domains: tuple[str, ...]
    """Name of each number in `domain`."""
    exposed: Bools
    position: Ints
    """1-based place where the item was shown; 0 where it was not."""
    click: Bools
    purchase: Bools
    weight: Floats
    score: Floats
    """Probability of a click."""
    cold_item: Bools
    cold_user: Bools
    anywhere_click: Bools | None = None
    """Clicked on in any channel, within the window; None if the file does not say."""
    anywhere_purchase: Bools | None = None
    score_purchase: Floats | None = None
    """Probability of a click and a purchase (pCTCVR); None if the model has no such task."""

    @property
    def rows(self) -> int:
        """Number of samples."""
        return len(self.score)

    @property
    def requests(self) -> int:
        """Number of requests."""
        return int(self.request.max(initial=-1)) + 1

    @property
    def users(self) -> int:
        """Number of users."""
        return int(self.user.max(initial=-1)) + 1

    def take(self, rows: Ints | Bools) -> Predictions:
        """The given rows alone (numbers or a mask), with requests and users numbered anew."""
        chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        part: dict[str, Any] = {"ids": self.ids.take(pa.array(chosen))}
        for field in fields(self):
            values = getattr(self, field.name)
            if field.name not in ("ids", "domains") and values is not None:
                part[field.name] = values[chosen]
        for name in ("request", "user"):
            part[name] = np.unique(part[name], return_inverse=True)[1]
        return replace(self, **part)


def read_predictions(path: Path) -> Predictions:
    """Read a predictions file (contract: `RUN/predictions/SPLIT.parquet`).

    Raises:
        CorankError: the file is missing or not Parquet, or a column is missing, of the wrong type, empty
            somewhere, or out of range.
    """
    return predictions_of(_read(path), str(path))


def scores_purchases(path: Path) -> bool:
    """Whether a predictions file has a score of purchases.

    Raises:
        CorankError: it is missing or not Parquet.
    """
    with _opened(path) as file:
        return PURCHASE in file.schema_arrow.names


def predictions_of(table: pa.Table, where: str = "predictions") -> Predictions:
    """Predictions from a table with the columns of the contract.

    Raises:
        CorankError: as for `read_predictions`.
    """
    anywhere = any(name in table.column_names for name in ANYWHERE)
    scored = PURCHASE in table.column_names
    for name in (*COLUMNS, *(ANYWHERE if anywhere else ()), *((PURCHASE,) if scored else ())):
        if name not in table.column_names:
            raise CorankError(f"{where}: no column '{name}'{nearest(name, table.column_names)}")
        if table.column_names.count(name) > 1:
            raise CorankError(f"{where}: more than one column '{name}'")
        if name != "position" and table[name].null_count:
            raise CorankError(f"{where}: column '{name}' has {table[name].null_count} empty values")
    if table.num_rows == 0:
        raise CorankError(f"{where}: holds no rows")
    domain, domains = _codes(table, "domain", where)
    return Predictions(
        ids=pa.table({name: _plain(table[name]) for name in ("request_id", "item_id")}),
        request=_codes(table, "request_id", where)[0],
        user=_codes(table, "user_id", where)[0],
        domain=domain,
        domains=tuple(str(name) for name in domains),
        exposed=_flags(table, "exposed", where),
        position=_numbers(table, "position", where, low=1, fill=0).astype(np.int64),
        click=_flags(table, "label_click", where),
        purchase=_flags(table, "label_purchase", where),
        weight=_numbers(table, "weight", where, low=0),
        score=_numbers(table, "score", where, low=0, high=1),
        cold_item=_flags(table, "cold_item", where),
        cold_user=_flags(table, "cold_user", where),
        anywhere_click=_flags(table, ANYWHERE[0], where) if anywhere else None,
        anywhere_purchase=_flags(table, ANYWHERE[1], where) if anywhere else None,
        score_purchase=_numbers(table, PURCHASE, where, low=0, high=1) if scored else None,
    )


def _read(path: Path) -> pa.Table:
    known = (*COLUMNS, *ANYWHERE, PURCHASE)
    with _opened(path) as file:
        return file.read(columns=[name for name in file.schema_arrow.names if name in known])


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    if not path.is_file():
        raise CorankError(f"{path}: no such file")
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise CorankError(f"{path}: not readable as Parquet ({error.__class__.__name__})") from None


def _codes(table: pa.Table, name: str, where: str) -> tuple[Ints, list[object]]:
    """Numbers in order of first appearance, and what they stand for."""
    column = _plain(table[name])
    kind = column.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not (text or (pa.types.is_integer(kind) and name != "domain")):
        expected = "text" if name == "domain" else "an integer or text"
        raise CorankError(f"{where}: column '{name}' is {column.type}, expected {expected}")
    encoded = column.dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist() if text else []


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """One chunk, dictionaries decoded."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.combine_chunks()


def _flags(table: pa.Table, name: str, where: str) -> Bools:
    column = table[name]
    if pa.types.is_boolean(column.type):
        return np.asarray(column.to_numpy(), dtype=np.bool_)
    values = _numbers(table, name, where, low=0, high=1)
    if not np.isin(values, (0, 1)).all():
        raise CorankError(f"{where}: column '{name}' must hold only 0 and 1")
    return np.asarray(values == 1, dtype=np.bool_)


def _numbers(
    table: pa.Table, name: str, where: str, low: float, high: float | None = None, fill: float | None = None
) -> Floats:
    column = table[name]
    if not (
        pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or column.type == pa.null()
    ):
        raise CorankError(f"{where}: column '{name}' is {column.type}, expected numbers")
    column = column.cast(pa.float64())
    given = np.asarray(column.drop_null().to_numpy(), dtype=np.float64)
    bad = ~np.isfinite(given) | (given < low)
    if high is not None:
        bad |= given > high
    if bad.any():
        limits = f"at least {low}" if high is None else f"between {low} and {high}"
        raise CorankError(f"{where}: column '{name}' holds {given[bad][0]}, expected finite numbers {limits}")
    return np.asarray((column if fill is None else pc.fill_null(column, fill)).to_numpy(), dtype=np.float64)
