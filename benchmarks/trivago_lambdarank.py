"""LightGBM LambdaRank on a trivago store."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from corank.features import FeatureSpec
from corank.features.fit import fit_features
from trivago_columns import Columns, columns, write_scores

OPTIONS = {
    "objective": "lambdarank",
    "metric": "ndcg",
    "eval_at": [25],
    "learning_rate": 0.04,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbose": -1,
    "num_threads": 1,
}


def train_lambdarank(
    setting: Mapping[str, float], seed: int, samples: Path, folder: Path, spec: Path
) -> dict[str, Any]:
    """Train on the columns of a spec, ids as categories, stopped early by the validation split.

    With the setting `graded`, labels that a request's own click did not give count for less: gains 1 and 3.
    """
    graded = setting.get("graded", 0)
    options = {**OPTIONS, "seed": seed, **{k: v for k, v in setting.items() if k != "graded"}}
    splits = _splits(samples, spec)
    sets = [
        lightgbm.Dataset(
            part.values,
            part.clicks + graded * part.own,
            weight=part.weights,
            group=part.sizes,
            categorical_feature=part.categories,
        )
        for part in (splits["train"], splits["valid"])
    ]
    booster = lightgbm.train(
        options, sets[0], 800, valid_sets=[sets[1]], callbacks=[lightgbm.early_stopping(80, verbose=False)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("valid", "test"):
        margin = np.asarray(booster.predict(splits[split].values))
        write_scores(samples, split, 1 / (1 + np.exp(-margin)), folder / f"{split}.parquet")
    leaves = sum(tree["num_leaves"] for tree in booster.dump_model()["tree_info"])
    return {"parameters": leaves}


@lru_cache(maxsize=1)
def _splits(samples: Path, spec: Path) -> dict[str, Columns]:
    features = fit_features(samples, FeatureSpec.read(spec))
    return {split: columns(samples, features, split) for split in ("train", "valid", "test")}
