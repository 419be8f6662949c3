"""Given vectors (of texts, images): read, checked, normalised; what is missing or unusable is counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corank.errors import CorankError
from corank.features.transforms import Floats, list_parts, to_numbers

Normalise = Literal["l2", "standard", "none"]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vectors:
    """How a field's vectors become inputs, as learned from training.

    * `l2`: to the length sqrt(dim), so that a number is 1 in the mean square; one of length 0 is unusable;
    * `standard`: each number less its mean, over its standard deviation;
    * `none`: as given.

    Attributes:
        dim: length of every vector.
        shift, scale: of `standard`, by number: the mean, and 1 over the deviation (0 where that is 0).
        rows, missing, unusable: vectors read in fitting; of these null; of these with a number that is null,
            NaN or infinite, or without a direction where that is asked for.
    """

    normalise: Normalise
    dim: int
    shift: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    rows: int = 0
    missing: int = 0
    unusable: int = 0

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """From plain values, as `dataclasses.asdict` gives them.

        Raises:
            TypeError, ValueError: they are not that.
        """
        made = cls(**{**values, "shift": tuple(values["shift"]), "scale": tuple(values["scale"])})
        if made.normalise not in get_args(Normalise) or len(made.shift) != len(made.scale):
            raise ValueError(values)
        return made

    def encode(self, column: pa.Array, name: str) -> Floats:
        """Vectors [n, dim]; all NaN where missing or unusable.

        Raises:
            CorankError: one has another length.
        """
        vectors = to_vectors(column, name, self.dim)
        if self.normalise == "standard":
            vectors -= np.array(self.shift, np.float32)
            vectors *= np.array(self.scale, np.float32)
        return _usable(vectors, self.normalise)


class VectorFit:
    """Learns `Vectors` from the parts of a column.

    Args:
        name: the field's, for messages.
    """

    def __init__(self, name: str, normalise: Normalise) -> None:
        self.name, self.normalise = name, normalise
        self.dim: int | None = None
        self.rows = self.missing = self.unusable = 0
        self.weight = 0.0
        self.total: Doubles = np.zeros(1)
        self.square: Doubles = np.zeros(1)

    def add(self, column: pa.Array, weights: Ints | None = None) -> None:
        """Read a part; a row counts `weights` times in means and deviations, once if there are none.

        Raises:
            CorankError: the vectors are not all of one length.
        """
        vectors = _usable(to_vectors(column, self.name, self.dim), self.normalise)
        self.rows += len(column)
        self.missing += column.null_count
        if column.null_count == len(column):
            return
        self.dim = vectors.shape[1]
        there = ~np.isnan(vectors).any(1)
        self.unusable += int((~there).sum()) - column.null_count
        if self.normalise == "standard":
            kept = vectors[there].astype(np.float64)
            times = np.ones(len(kept)) if weights is None else weights[there].astype(np.float64)
            self.weight += times.sum()
            self.total = self.total + times @ kept
            self.square = self.square + times @ kept**2

    def done(self) -> Vectors:
        """What was learned.

        Raises:
            CorankError: there was no vector.
        """
        if not self.dim or self.missing + self.unusable == self.rows:
            raise CorankError(
                f"field '{self.name}': none of the {self.rows:,} embeddings read in training can be used "
                "(null, or with a number that is not finite); leave the field out"
            )
        plain = Vectors(self.normalise, self.dim, (), (), self.rows, self.missing, self.unusable)
        if self.normalise != "standard":
            return plain
        mean = self.total / max(self.weight, 1.0)
        deviation = np.sqrt(np.maximum(self.square / max(self.weight, 1.0) - mean**2, 0))
        varies = deviation > 1e-6 * np.abs(mean)  # below that it is rounding
        scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
        return replace(plain, shift=tuple(mean.tolist()), scale=tuple(scale.tolist()))


def to_vectors(column: pa.Array, name: str, dim: int | None = None) -> Floats:
    """A column of equally long lists of numbers as float32 [n, dim], NaN where null.

    Raises:
        CorankError: the lists differ in length, or are not of `dim` numbers.
    """
    offsets, flat = list_parts(column)
    sizes = np.unique(np.diff(offsets)[column.is_valid().to_numpy(zero_copy_only=False)])
    if sizes.size > 1 or (dim is not None and sizes.size and sizes[0] != dim):
        expected = f"of {dim} numbers" if dim is not None else "of one length"
        raise CorankError(
            f"field '{name}': embeddings must be {expected}, found lengths {sizes.tolist()[:5]}"
        )
    width = int(sizes[0]) if sizes.size else (dim or 0)
    vectors = np.full((len(column), width), np.nan, np.float32)
    with np.errstate(over="ignore"):  # beyond float32: infinite
        values = to_numbers(flat, name).astype(np.float32)
    vectors[np.diff(offsets) > 0] = values.reshape(-1, width) if width else 0
    return vectors


def _usable(vectors: Floats, normalise: Normalise) -> Floats:
    """Vectors with a number that is not finite become all NaN; with `l2` the others get their length."""
    finite = np.isfinite(vectors).all(1)
    if normalise != "l2":
        vectors[~finite] = np.nan
        return vectors
    squares = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        factors = (np.sqrt(vectors.shape[1] / squares)).astype(np.float32)
        usable = finite & np.isfinite(factors)
        vectors *= np.where(usable, factors, np.nan)[:, None]
    return vectors
