"""From numpy arrays to Arrow columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corank.logs.marketplace.config import MarketplaceConfig

STAMP = pa.timestamp("us", tz="UTC")


def words_of(words: Sequence[str], code: NDArray[np.integer]) -> pa.Array:
    """Text by code; null for -1."""
    return pc.take(pa.array(words, pa.string()), nullable(code))


def nullable(values: NDArray[np.integer], null: int = -1) -> pa.Array:
    """Integers, with a value that stands for null."""
    return pa.array(values, mask=values == null)


def lists_of(values: NDArray[np.floating]) -> pa.Array:
    """One list of float32 a row."""
    rows, width = values.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * width)
    return pa.ListArray.from_arrays(offsets, pa.array(values.astype(np.float32).ravel()))


def stamps(
    config: MarketplaceConfig, hours: NDArray[np.floating], known: NDArray[np.bool_] | None = None
) -> pa.Array:
    """UTC microseconds of hours since the log began; null where not `known`."""
    start = datetime(config.start.year, config.start.month, config.start.day, tzinfo=UTC)
    hours = hours if known is None else np.where(known, hours, 0.0)
    micros = np.floor(hours.astype(np.float64) * 3600e6).astype(np.int64) + int(start.timestamp()) * 1_000_000
    return pa.array(micros, mask=None if known is None else ~known).cast(STAMP)
