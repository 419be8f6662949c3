"""Fitted transforms: a vocabulary turns values into codes, quantiles turn numbers into 0..1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corank.errors import CorankError
from corank.features.schema import FIRST

MISSING, RARE = 0, 1  # codes: null or padding, rare or unseen; then the vocabulary

Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


def plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One array without chunks or dictionary encoding."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # a chunked array of no chunks stays one
        array = pa.concat_arrays(array.chunks) if array.chunks else pa.array([], array.type)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def is_list(kind: pa.DataType) -> bool:
    """Is it a list, of any layout?"""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def is_text(kind: pa.DataType) -> bool:
    """Is it text?"""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def words(column: pa.Array) -> pa.Array:
    """The lower-case words of a text column, as a list column."""
    return pc.utf8_split_whitespace(pc.utf8_lower(pc.utf8_trim_whitespace(column)))


@dataclass(frozen=True)
class Vocabulary:
    """The values that have a code of their own, the most frequent first.

    >>> v = Vocabulary.of_counts(pa.array(["b", "a", "c"]), np.array([5, 7, 1]), min_count=2, max_size=10)
    >>> v.encode(pa.array(["a", "b", "c", None])).tolist()
    [2, 3, 1, 0]
    """

    values: pa.Array

    @classmethod
    def of_counts(
        cls, values: pa.Array, counts: npt.NDArray[np.int64], min_count: int, max_size: int
    ) -> Vocabulary:
        """Keep the values seen at least `min_count` times, at most `max_size`, ties by value."""
        table = pa.table({"value": values, "count": counts})
        table = table.filter(
            pc.and_(pc.greater_equal(table["count"], min_count), pc.is_valid(table["value"]))
        )
        table = table.sort_by([("count", "descending"), ("value", "ascending")]).slice(0, max_size)
        return cls(plain(table["value"]))

    @property
    def cardinality(self) -> int:
        """Number of codes, the missing and the rare one included."""
        return len(self.values) + FIRST

    def encode(self, column: pa.Array) -> Codes:
        """Codes [n] of a column of the vocabulary's type."""
        if column.type != self.values.type:
            try:
                column = column.cast(self.values.type)
            except pa.ArrowInvalid:
                raise CorankError(
                    f"ids of type {column.type} given where the model was trained on {self.values.type}"
                ) from None
        found = pc.fill_null(pc.index_in(column, value_set=self.values), RARE - FIRST)
        codes = pc.if_else(pc.is_valid(column), pc.add(found, FIRST), MISSING)
        coded: Codes = codes.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
        return coded


@dataclass(frozen=True)
class Quantiles:
    """A piecewise linear map of a number onto 0..1 through training quantiles.

    Values that carry more than their share of the mass (the zero of a count) are knots of their own and the
    other knots are quantiles of the rest, so that a long tail keeps its resolution.
    """

    knots: tuple[float, ...]

    @classmethod
    def fit(cls, values: npt.NDArray[np.float64], count: int = 65) -> Quantiles:
        """At most `count` knots from the finite values of a training sample."""
        finite = values[np.isfinite(values)]
        if finite.size == 0:
            return cls((0.0,))
        distinct, mass = np.unique(finite, return_counts=True)
        if distinct.size <= count:
            return cls(tuple(distinct.tolist()))
        heavy = distinct[mass > finite.size / count]
        rest = finite[~np.isin(finite, heavy)] if heavy.size else finite
        levels = np.linspace(0, 1, max(count - heavy.size, 2))
        quantiles = np.quantile(rest, levels, method="nearest")
        return cls(tuple(np.unique(np.concatenate([heavy, quantiles])).tolist()))

    def encode(self, values: npt.NDArray[np.float64]) -> Floats:
        """0..1 [n]; NaN (and infinity, which no measurement is) stays missing: NaN."""
        if len(self.knots) == 1:
            scaled = np.full(values.shape, 0.5)
        else:
            scaled = np.interp(values, self.knots, np.linspace(0, 1, len(self.knots)))
        return np.where(np.isfinite(values), scaled, np.nan).astype(np.float32)


def to_numbers(column: pa.Array, name: str) -> npt.NDArray[np.float64]:
    """A numeric column as float64 [n], NaN where null.

    Raises:
        CorankError: the column is not numeric.
    """
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise CorankError(f"field '{name}': kind number needs a numeric column, found {kind}")
    values: npt.NDArray[np.float64] = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def pad(offsets: npt.NDArray[np.int64], codes: Codes, length: int) -> Codes:
    """The first `length` codes of each list as [n, length], 0 where there are fewer."""
    starts, sizes = offsets[:-1], np.diff(offsets)
    steps = np.arange(length)
    inside = steps < sizes[:, None]
    index = np.where(inside, starts[:, None] + steps, 0)
    if codes.size == 0:
        return np.zeros((len(starts), length), np.int32)
    return np.where(inside, codes[index], MISSING).astype(np.int32)


def list_parts(column: pa.Array) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """Offsets [n + 1] and flat values of a list column; a null list counts as empty."""
    sizes = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return offsets, column.flatten()
