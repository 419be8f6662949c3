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
_COUNTS = b"corank counts"


def measure(predictions: Predictions, resamples: int) -> dict[str, Draws]:
    """The metrics of both tests, by `space.metric`."""
    return {
        f"{where}.{name}": draws
        for where, names in METRICS.items()
        for name, draws in bootstrap(space(predictions, where), names, resamples, SEED).items()
    }


def write_draws(path: Path, draws: Mapping[str, Draws]) -> None:
    """Write them whole: a column a metric, its value before its resamples; shorter columns end in nulls."""
    longest = max(len(one.resampled) for one in draws.values())
    columns = {}
    for name, one in draws.items():
        values = np.concatenate([[one.value], one.resampled])
        columns[name] = pa.array(np.pad(values, (0, longest + 1 - len(values))), mask=_after(values, longest))
    counts = {name: (one.groups, one.skipped) for name, one in draws.items()}
    table = pa.table(columns).replace_schema_metadata({_COUNTS: json.dumps(counts)})
    with whole_file(path) as aside:
        pq.write_table(table, aside, compression="zstd")


def read_draws(path: Path) -> dict[str, Draws]:
    """Read them.

    Raises:
        CorankError: the file is not there or holds something else.
    """
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
        counts = json.loads((table.schema.metadata or {})[_COUNTS])
        found = {}
        for name in table.column_names:
            values = table[name].drop_null().to_numpy()
            found[name] = Draws(float(values[0]), values[1:], *counts[name])
    except (pa.ArrowException, OSError, KeyError, IndexError, ValueError, TypeError):
        raise CorankError(f"{path}: not the measures of a run, or damaged") from None
    return found


def _after(values: np.ndarray, longest: int) -> np.ndarray:
    return np.arange(longest + 1) >= len(values)
