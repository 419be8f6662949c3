"""All metrics of a run, in every sample space and slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corank.errors import CorankError
from corank.evaluation.intervals import LEVEL, RESAMPLES, ROW_RESAMPLES, Estimate, bootstrap
from corank.evaluation.metrics import KS, metric_names
from corank.evaluation.predictions import Predictions
from corank.evaluation.spaces import NOTES, slices, space, spaces_of
from corank.files import read_json, write_json
from corank.progress import QUIET, Reporter


@dataclass(frozen=True)
class Size:
    """How much a slice holds."""

    rows: int
    requests: int
    users: int
    clicks: int
    purchases: int


@dataclass(frozen=True)
class Evaluation:
    """Metrics by space, slice and name; slices without rows are left out."""

    metrics: dict[str, dict[str, dict[str, Estimate]]]
    sizes: dict[str, dict[str, Size]]
    resamples: int
    seed: int
    samples: str = ""
    """Fingerprint of those that were scored; empty where it is not known."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `RUN/evaluation/SPLIT.json` holds them."""
        return {
            "level": LEVEL,
            "resamples": {"requests": self.resamples, "rows": min(self.resamples, ROW_RESAMPLES)},
            "seed": self.seed,
            "samples": self.samples,
            "notes": {name: NOTES[name] for name in self.metrics},
            **{name: asdict(self)[name] for name in ("sizes", "metrics")},
        }


def evaluate_predictions(
    predictions: Predictions,
    ks: Sequence[int] = KS,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Reporter = QUIET,
) -> Evaluation:
    """Measure predictions: every metric with its interval, in every space and slice that has rows."""
    names = metric_names(ks, predictions.score_purchase is not None)
    metrics: dict[str, dict[str, dict[str, Estimate]]] = {}
    sizes: dict[str, dict[str, Size]] = {}
    wheres = spaces_of(predictions)
    with progress.task("evaluate", len(wheres)) as task:
        for where in wheres:
            rows = space(predictions, where)
            for part, mask in slices(rows).items():
                if not mask.any():
                    continue
                chosen = rows if mask.all() else rows.take(mask)
                draws = bootstrap(chosen, names, resamples, seed)
                metrics.setdefault(where, {})[part] = {name: draws[name].estimate() for name in names}
                sizes.setdefault(where, {})[part] = size_of(chosen)
            task.advance(note=where)
    return Evaluation(metrics, sizes, resamples, seed)


def size_of(predictions: Predictions) -> Size:
    """How much the predictions hold."""
    return Size(
        rows=predictions.rows,
        requests=predictions.requests,
        users=predictions.users,
        clicks=int(np.count_nonzero(predictions.click)),
        purchases=int(np.count_nonzero(predictions.purchase)),
    )


def evaluation_path(run: Path, split: str) -> Path:
    """Where a run keeps what it is worth on a split."""
    return run / "evaluation" / f"{split}.json"


def refuse_other_samples(path: Path, samples: str) -> None:
    """Stop where an evaluation on other samples would be lost.

    Raises:
        CorankError: `path` holds one.
    """
    there = read_json(path) if path.exists() else None
    if isinstance(there, dict) and there.get("samples") not in (None, "", samples):
        raise CorankError(f"{path}: holds an evaluation on other samples; pass --overwrite to replace it")


def write_evaluation(run: Path, split: str, evaluation: Evaluation) -> Path:
    """Write `RUN/evaluation/SPLIT.json`, whole, and give its path."""
    path = evaluation_path(run, split)
    write_json(path, evaluation.to_json())
    return path
