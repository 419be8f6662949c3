"""The test metrics of a run with their resamples: all that intervals of differences need of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError
from corank.evaluation.intervals import Draws, bootstrap
from corank.evaluation.predictions import Predictions
from corank.evaluation.spaces import space
from corank.files import whole_file

METRICS: dict[str, tuple[str, ...]] = {
    "exposed": ("gauc", "auc", "ndcg@10", "hr@5", "logloss"),
    "all_channels": ("gauc", "ndcg@10", "purchase_gauc", "purchase_ndcg@10", "purchase_recall@10"),
}
"""By space. `purchase_recall@10` is ASPH@10."""
SEED = 0
"""Of the resamples, the same for all runs: differences are paired."""
STEP = 1e-5
"""Resamples are kept in whole steps of this from the value: no interval needs more, and files are small."""
_VALUES = b"corank values"


def measure(predictions: Predictions, resamples: int) -> dict[str, Draws]:
    """The metrics of both tests, by `space.metric`."""
    return {
        f"{where}.{name}": draws
        for where, names in METRICS.items()
        for name, draws in bootstrap(space(predictions, where), names, resamples, SEED).items()
    }


def write_draws(path: Path, draws: Mapping[str, Draws]) -> None:
    """Write them whole: a column a metric, of its resamples' steps; null where one has no value."""
    longest = max(len(one.resampled) for one in draws.values())
    columns, told = {}, {}
    for name, one in draws.items():
        steps = np.full(longest, np.nan)
        steps[: len(one.resampled)] = np.rint((one.resampled - one.value) / STEP)
        columns[name] = pa.array(steps, from_pandas=True).cast(pa.int32())
        told[name] = (one.value, len(one.resampled), one.groups, one.skipped)
    table = pa.table(columns).replace_schema_metadata({_VALUES: json.dumps(told)})
    with whole_file(path) as aside:
        packed = "DELTA_BINARY_PACKED"
        pq.write_table(table, aside, use_dictionary=False, column_encoding=packed, compression="zstd")


def read_draws(path: Path) -> dict[str, Draws]:
    """Read them, each resample to half a `STEP`.

    Raises:
        CorankError: the file is not there or holds something else.
    """
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
        told = json.loads((table.schema.metadata or {})[_VALUES])
        found = {}
        for name in table.column_names:
            value, count, groups, skipped = told[name]
            steps = table[name].to_numpy()[:count].astype(np.float64)
            found[name] = Draws(float(value), value + STEP * steps, groups, skipped)
    except (pa.ArrowException, OSError, KeyError, IndexError, ValueError, TypeError):
        raise CorankError(f"{path}: not the measures of a run, or damaged") from None
    return found
