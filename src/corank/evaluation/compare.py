"""Several runs on the same rows: each metric, its difference to the first, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corank.errors import CorankError
from corank.evaluation.arrays import Ints
from corank.evaluation.intervals import (
    RESAMPLES,
    Difference,
    Estimate,
    difference,
    over_seeds,
    seed_draws,
)
from corank.evaluation.predictions import ANYWHERE, Predictions, read_predictions, scores_purchases
from corank.evaluation.runs import one_model, read_facts
from corank.evaluation.spaces import space as rows_of
from corank.progress import QUIET, Reporter

METRICS = ("gauc", "auc", "gauc_user", "ndcg@10", "mrr", "hr@5", "logloss", "ne", "calibration")
CTCVR = ("ctcvr_gauc", "ctcvr_auc", "ctcvr_ndcg@10", "ctcvr_logloss", "ctcvr_ne", "ctcvr_calibration")
"""What is compared beside them where every run scores purchases."""


@dataclass(frozen=True)
class Compared:
    """One model: its runs (seeds), its metrics, and the difference of each to the first model."""

    name: str
    runs: tuple[str, ...]
    values: dict[str, Estimate]
    differences: dict[str, Difference]
    """Empty for the first model."""


@dataclass(frozen=True)
class Comparison:
    """Models on the same rows; the first is the base."""

    split: str
    space: str
    resamples: int
    seed: int
    models: tuple[Compared, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def compare_runs(
    runs: Sequence[Path | Sequence[Path]],
    split: str = "test",
    metrics: Sequence[str] | None = None,
    space: str = "exposed",
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Reporter = QUIET,
) -> Comparison:
    """Compare runs, the first being the base, by the predictions that `evaluate` wrote.

    Without `metrics` they are `METRICS` and, if every run scores purchases, `CTCVR`.

    Several runs given as one group are seeds of one model: its value is their mean, and its interval covers
    requests and seeds.

    Raises:
        CorankError: no run is given, a run has no predictions of the split, not all hold the same rows and
            labels, or a group mixes models.
    """
    groups = [[given] if isinstance(given, Path) else list(given) for given in runs]
    if not groups or not all(groups):
        raise CorankError("compare: no run was given; name at least one run folder")
    if metrics is None:
        scored = all(scores_purchases(_predictions(run, split)) for group in groups for run in group)
        metrics = (*METRICS, *CTCVR) if scored else METRICS
    base_run, base = groups[0][0], read_predictions(_predictions(groups[0][0], split))
    models: list[Compared] = []
    first = None
    with progress.task("compare", len(groups)) as task:
        for number, group in enumerate(groups):
            name = one_model(group)
            seeds = [
                aligned(read_predictions(_predictions(run, split)), base, run, base_run) for run in group
            ]
            drawn = seed_draws([rows_of(one, space) for one in seeds], metrics, resamples, seed)
            draws = {metric: over_seeds(drawn[metric]) for metric in metrics}
            first = first or draws
            models.append(
                Compared(
                    name=name,
                    runs=tuple(run.name for run in group),
                    values={metric: draws[metric].estimate() for metric in metrics},
                    differences={metric: difference(first[metric], draws[metric]) for metric in metrics}
                    if number
                    else {},
                )
            )
            task.advance(note=name)
    return Comparison(split, space, resamples, seed, tuple(models))


def aligned(predictions: Predictions, base: Predictions, run: Path, base_run: Path) -> Predictions:
    """The rows of the base with the scores of `predictions`, whatever the order of these.

    Raises:
        CorankError: the rows, or their labels or exposure, are not the same.
    """
    differ = f"{run} and {base_run} cannot be compared:"
    if predictions.rows != base.rows:
        raise CorankError(f"{differ} {predictions.rows} and {base.rows} rows{_samples(run, base_run)}")
    if not predictions.ids.equals(base.ids):
        mine, theirs = _by_id(predictions.ids), _by_id(base.ids)
        if not predictions.ids.take(mine).equals(base.ids.take(theirs)):
            raise CorankError(f"{differ} their requests or items are not the same{_samples(run, base_run)}")
        order = np.empty(base.rows, dtype=np.int64)
        order[theirs] = mine
        predictions = predictions.take(order)
    told = base.anywhere_click is not None and predictions.anywhere_click is not None
    for name in ("exposed", "click", "purchase", *(ANYWHERE if told else ())):
        wrong = int(np.count_nonzero(getattr(predictions, name) != getattr(base, name)))
        if wrong:
            raise CorankError(f"{differ} {wrong} rows differ in '{name}'{_samples(run, base_run)}")
    return replace(base, score=predictions.score, score_purchase=predictions.score_purchase)


def _by_id(ids: pa.Table) -> Ints:
    keys = [("request_id", "ascending"), ("item_id", "ascending")]
    return np.asarray(pc.sort_indices(ids, sort_keys=keys)).astype(np.int64)


def _predictions(run: Path, split: str) -> Path:
    path = run / "predictions" / f"{split}.parquet"
    if not path.is_file():
        raise CorankError(f"{run}: no predictions of '{split}' ({path}); run 'corank evaluate' on it first")
    return path


def _samples(run: Path, base_run: Path) -> str:
    """What the runs say of the samples they were made from, if it differs."""
    prints = [read_facts(folder).fingerprint[:12] or "unknown" for folder in (run, base_run)]
    return f" (samples {prints[0]} and {prints[1]})" if prints[0] != prints[1] else ""
