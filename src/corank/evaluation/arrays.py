"""The array types of the room, and the checks that every metric makes of what it is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def finite(values: npt.ArrayLike, what: str) -> Floats:
    """`values` as one dimension of finite float64.

    Raises:
        ValueError: they are not one-dimensional, or one is not finite.
    """
    array = _flat(np.asarray(values, dtype=np.float64), what)
    if not np.isfinite(array).all():
        raise ValueError(f"{what} must be finite")
    return array


def binary(labels: npt.ArrayLike, rows: int) -> Bools:
    """`labels` as one dimension of booleans, one for each of `rows` rows.

    Raises:
        ValueError: a label is neither 0 nor 1, or there are not `rows` of them.
    """
    array = np.asarray(labels)
    if array.dtype != np.bool_:
        if not ((array == 0) | (array == 1)).all():
            raise ValueError("labels must be 0 or 1")
        array = array == 1
    return _long(_flat(array, "labels"), rows, "labels")


def masses(weights: npt.ArrayLike | None, rows: int) -> Floats:
    """`weights` as one dimension of non-negative float64, one for each row; ones where none are given.

    Raises:
        ValueError: a weight is negative or not finite, or there are not `rows` of them.
    """
    if weights is None:
        return np.ones(rows)
    array = _long(finite(weights, "weights"), rows, "weights")
    if (array < 0).any():
        raise ValueError("weights must not be negative")
    return array


def ratio(numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Floats:
    """Element-wise quotient, not-a-number where the denominator is zero."""
    above, below = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    return np.where(below == 0, np.nan, above / np.where(below == 0, 1.0, below))


def starts_of_runs(*sorted_keys: npt.NDArray[Any]) -> Ints:
    """Where each run of equal keys begins, with the number of rows appended: [runs + 1]."""
    rows = len(sorted_keys[0])
    new = np.zeros(rows, dtype=np.bool_)
    new[:1] = True
    for key in sorted_keys:
        new[1:] |= key[1:] != key[:-1]
    return np.append(np.flatnonzero(new), rows)


def sum_runs(values: npt.NDArray[Any], starts: Ints) -> Floats:
    """Sum of each run of `values`; no run is empty."""
    return np.add.reduceat(values, starts[:-1], dtype=np.float64)


def sum_by(code: Ints, values: npt.NDArray[Any], groups: int) -> Floats:
    """Sum of the values of each code, 0 to groups - 1."""
    return np.bincount(code, weights=values, minlength=groups).astype(np.float64)


def _flat(array: npt.NDArray[Any], what: str) -> npt.NDArray[Any]:
    if array.ndim != 1:
        raise ValueError(f"{what} must have one dimension, not {array.ndim}")
    return array


def _long(array: npt.NDArray[Any], rows: int, what: str) -> npt.NDArray[Any]:
    if len(array) != rows:
        raise ValueError(f"{len(array)} {what} for {rows} rows")
    return array
