"""What the studies of trivago's log share: the data, runs that are trained once, MRR, CSV files."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from corank import verbs
from corank.errors import CorankError
from corank.evaluation.predictions import Predictions, read_predictions
from corank.evaluation.ranking import rank
from corank.evaluation.toplist import mrr
from corank.files import read_json, write_csv, write_json
from corank.progress import reporter
from corank.samples import read_manifest
from corank.training.run import versions
from trivago_lambdarank import train_lambdarank

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "trivago" / "trivago_val_100k.parquet"
SPEC = ROOT / "benchmarks" / "trivago.yaml"
COMMON = ("metric=mrr", "loss.listwise=1", "loss.pointwise=0.2", "reader.batch_samples=2048")

Setting = Mapping[str, float]


@dataclass(frozen=True)
class Trained:
    """One model with one setting and seed.

    Attributes:
        valid: MRR on the validation split.
        test: predictions of the test split.
        parameters: trained numbers (for LightGBM: leaves).
        seconds: to train.
    """

    valid: float
    test: Predictions
    parameters: int
    seconds: float


def import_log(data: Path, logs: Path) -> None:
    """Import the log, if it is not there yet, and check it."""
    if not logs.exists():
        verbs.import_logs("trivago", data, logs, progress=reporter())
        verbs.check(logs, progress=reporter()).raise_if_broken()


def train(
    model: str, setting: Setting, seed: int, samples: Path, runs: Path, common: Sequence[str] = COMMON
) -> Trained:
    """Train, or read what an earlier call left in a folder of `runs`.

    Args:
        model: a name of corank's, or `lightgbm`.
        setting: what this trial changes: training settings, or LightGBM's parameters.
        seed: of everything random.
        samples: a store.
        runs: folder of runs on that store.
        common: training settings of all trials of corank's models.

    Raises:
        CorankError: the earlier call had other samples.
    """
    name = "-".join([model, *(f"{value:g}" for value in setting.values()), str(seed)])
    folder = runs / name
    done, source = folder / "trained.json", read_manifest(samples).fingerprint
    if not done.exists():
        print(f"{runs.name}/{name} ...", flush=True)
        started = time.perf_counter()
        if model == "lightgbm":
            facts = train_lambdarank(setting, seed, samples, folder, SPEC)
        else:
            facts = _train_corank(model, setting, seed, samples, folder, common)
        write_json(done, {"seconds": time.perf_counter() - started, "samples": source, **facts})
    facts = read_json(done)
    if facts.get("samples") != source:
        raise CorankError(f"{folder}: trained on other samples than {samples}; remove it")
    valid, test = (read_predictions(folder / f"{split}.parquet") for split in ("valid", "test"))
    return Trained(mean_reciprocal_rank(valid), test, facts["parameters"], facts["seconds"])


def mean_reciprocal_rank(predictions: Predictions) -> float:
    """MRR over lists."""
    return mrr(rank(predictions.score, predictions.request), predictions.click).value


def align(predictions: Predictions, base: Predictions) -> Predictions:
    """Check that both hold the same rows in the same order, with the same labels."""
    if not (predictions.ids.equals(base.ids) and np.array_equal(predictions.click, base.click)):
        raise ValueError("predictions are not in the order of the store")
    return predictions


def write(path: Path, rows: Sequence[Mapping[str, Any]], command: str) -> None:
    """A CSV with the command and the machine in every row, and the same on the screen."""
    where = {"command": command, "machine": f"2 cores {platform.machine()}"}
    where |= {name: version for name, version in versions().items() if name in ("corank", "torch", "python")}
    where["lightgbm"] = lightgbm.__version__
    texts = [
        {key: f"{value:.5f}" if isinstance(value, float) else value for key, value in row.items()}
        for row in rows
    ]
    write_csv(path, [{**row, **where} for row in texts])
    for row in texts:
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)


def as_text(setting: Setting) -> str:
    """A setting as a cell of a CSV."""
    return json.dumps(dict(setting))


def _train_corank(
    model: str, setting: Setting, seed: int, samples: Path, folder: Path, common: Sequence[str]
) -> dict[str, Any]:
    """A run and its predictions of both later splits."""
    settings = [*common, *(f"{key}={value}" for key, value in setting.items())]
    info = verbs.train(samples, folder, model, seed, settings, SPEC, resume=True, progress=reporter())
    for split in ("valid", "test"):
        verbs.predict(folder, samples, folder / f"{split}.parquet", split, overwrite=True)
    return {"parameters": info.parameters["total"], "seconds": info.seconds}
