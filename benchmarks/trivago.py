"""Re-ranking trivago's lists: corank's models, LightGBM LambdaRank and two rules, on the last 20 % of lists.

Run: python benchmarks/trivago.py [--data PARQUET] [--work work/trivago]

Every model has the same features (benchmarks/trivago.yaml) and the same number of trials; a trial is chosen
by MRR on the validation split (the tenth of the lists before the test), then trained with three seeds. Writes
results/trivago.csv and results/trivago_trials.csv. Interrupted, it goes on where it was. Needs the extra
`bench`.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corank import verbs
from corank.evaluation.intervals import bootstrap, paired_difference
from corank.evaluation.predictions import Predictions, predictions_of, read_predictions
from corank.evaluation.ranking import rank
from corank.evaluation.toplist import mrr
from corank.features import Features, FeatureSpec
from corank.features.encode import Encoder
from corank.features.fit import fit_features
from corank.features.store import Store
from corank.features.transforms import plain, to_numbers
from corank.files import whole_file, write_json
from corank.progress import reporter
from corank.training.run import versions

ROOT = Path(__file__).parent.parent
SPEC = Path(__file__).with_suffix(".yaml")
SEEDS = (0, 1, 2)
COMMON = ("metric=mrr", "epochs=6", "loss.listwise=1", "loss.pointwise=0.2", "reader.batch_samples=2048")
TRIALS: dict[str, list[dict[str, float]]] = {
    **{
        f"{family}_s": [{"optimizer.lr": 5e-4}, {"optimizer.lr": 1e-3}, {"optimizer.lr": 2e-3}]
        for family in ("rankmixer", "dlrm_mlp", "dcnv2", "unimixer_lite")
    },
    "lightgbm": [
        {"num_leaves": 15, "min_data_in_leaf": 100},
        {"num_leaves": 31, "min_data_in_leaf": 50},
        {"num_leaves": 15, "min_data_in_leaf": 400},
    ],
}


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


def main() -> None:
    """Import, build samples, train what is not there yet, measure, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = ROOT.parent / "shared" / "data" / "trivago" / "trivago_val_100k.parquet"
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--work", type=Path, default=ROOT / "work" / "trivago")
    args = parser.parse_args()
    logs, samples = args.work / "logs", args.work / "samples"
    if not samples.exists():
        verbs.import_logs("trivago", args.data, logs, overwrite=True, progress=reporter())
        verbs.check(logs, progress=reporter()).raise_if_broken()
        verbs.samples(logs, samples, "exposed", progress=reporter())

    found: dict[str, list[Trained]] = {}
    trials: list[dict[str, Any]] = []
    for model, settings in TRIALS.items():
        tried = [train(model, setting, 0, samples, args.work) for setting in settings]
        best = int(np.argmax([one.valid for one in tried]))
        for setting, one in zip(settings, tried, strict=True):
            chosen = setting is settings[best]
            trials.append(
                {"model": model, "setting": json.dumps(setting), "valid_mrr": one.valid, "chosen": chosen}
            )
        found[model] = [train(model, settings[best], seed, samples, args.work) for seed in SEEDS]
    write(ROOT / "results" / "trivago_trials.csv", trials)
    write(ROOT / "results" / "trivago.csv", measure(found, samples))


def train(model: str, setting: dict[str, float], seed: int, samples: Path, work: Path) -> Trained:
    """Train, or read what an earlier call left."""
    name = "-".join([model, *(f"{value:g}" for value in setting.values()), str(seed)])
    folder = work / "runs" / name
    done = folder / "trained.json"
    if not done.exists():
        print(f"{name} ...", flush=True)
        started = time.perf_counter()
        how = train_lightgbm if model == "lightgbm" else train_corank
        facts = how(model, setting, seed, samples, folder)
        write_json(done, {**facts, "seconds": facts.get("seconds", time.perf_counter() - started)})
    facts = json.loads(done.read_text())
    valid = read_predictions(folder / "valid.parquet")
    test = read_predictions(folder / "test.parquet")
    return Trained(mean_reciprocal_rank(valid), test, facts["parameters"], facts["seconds"])


def train_corank(
    model: str, setting: dict[str, float], seed: int, samples: Path, folder: Path
) -> dict[str, Any]:
    """A run and its predictions of both later splits."""
    settings = [*COMMON, *(f"{key}={value}" for key, value in setting.items())]
    info = verbs.train(samples, folder, model, seed, settings, SPEC, resume=True, progress=reporter())
    for split in ("valid", "test"):
        verbs.predict(folder, samples, folder / f"{split}.parquet", split, overwrite=True)
    return {"parameters": info.parameters["total"], "seconds": info.seconds}


def train_lightgbm(
    model: str, setting: dict[str, float], seed: int, samples: Path, folder: Path
) -> dict[str, Any]:
    """LambdaRank on the same columns, ids as categories, stopped early by the validation split."""
    del model
    features = fit_features(samples, FeatureSpec.read(SPEC))
    train_set, valid, test = (columns(samples, features, split) for split in ("train", "valid", "test"))
    options = {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [25],
        "learning_rate": 0.04,
        "seed": seed,
        "feature_fraction": 0.6,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "verbose": -1,
        "num_threads": 2,
        **setting,
    }
    sets = [
        lightgbm.Dataset(part.values, part.clicks, group=part.sizes, categorical_feature=part.categories)
        for part in (train_set, valid)
    ]
    booster = lightgbm.train(
        options, sets[0], 800, valid_sets=[sets[1]], callbacks=[lightgbm.early_stopping(80, verbose=False)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    for split, part in (("valid", valid), ("test", test)):
        margin = np.asarray(booster.predict(part.values))
        write_scores(samples, split, 1 / (1 + np.exp(-margin)), folder / f"{split}.parquet")
    leaves = sum(tree["num_leaves"] for tree in booster.dump_model()["tree_info"])
    return {"parameters": leaves}


@dataclass(frozen=True)
class Columns:
    """A split as LightGBM takes it: features of each sample, clicks, samples of each list."""

    values: np.ndarray[Any, np.dtype[np.float64]]
    clicks: np.ndarray[Any, np.dtype[np.float32]]
    sizes: np.ndarray[Any, np.dtype[np.int64]]
    categories: list[int]


def columns(samples: Path, features: Features, split: str) -> Columns:
    """The columns of the spec, numbers unscaled."""
    store = Store(samples)
    encoder = Encoder(store, features)
    parts, clicks, sizes = [], [], []
    fields = encoder.request_fields + encoder.list_fields
    for group in store.row_groups(split):
        table = group.read(encoder.columns)
        chunk = encoder.encode(table, exposed_only=False)
        row = np.repeat(np.arange(len(chunk.offsets) - 1), np.diff(chunk.offsets))
        ids = iter(range(chunk.request.ids.shape[1]))
        made = []
        for field in fields:
            if field.kind == "id":
                made.append(chunk.request.ids[row, next(ids)].astype(np.float64))
            elif field.source == "request":
                made.append(to_numbers(plain(table[field.column]), field.label)[row])
            else:
                made.append(to_numbers(plain(table[field.column]).flatten(), field.label))
        parts.append(np.stack(made, axis=1))
        clicks.append(chunk.clicks)
        sizes.append(np.diff(chunk.offsets))
    categories = [i for i, field in enumerate(fields) if field.kind == "id"]
    return Columns(np.concatenate(parts), np.concatenate(clicks), np.concatenate(sizes), categories)


def flat(samples: Path, split: str, extra: Iterable[str] = ()) -> pa.Table:
    """A split with one row a sample, and what predictions hold beside the score."""
    per_sample = ["item_id", "exposed", "position", "label_click", "label_purchase", "weight", *extra]
    table = pq.read_table(samples / split).combine_chunks()
    lengths = table["item_id"].combine_chunks().value_lengths().to_numpy()
    row = pa.array(np.repeat(np.arange(table.num_rows), lengths))
    made = {name: plain(table[name]).take(row) for name in ("request_id", "user_id", "domain", "timestamp")}
    made |= {name: plain(table[name]).flatten() for name in per_sample}
    cold = pa.array(np.zeros(len(row), bool))
    return pa.table({**made, "cold_item": cold, "cold_user": cold})


def write_scores(samples: Path, split: str, scores: np.ndarray[Any, Any], path: Path) -> None:
    """Scores of a split as a predictions file."""
    with whole_file(path) as aside:
        pq.write_table(flat(samples, split).append_column("score", pa.array(scores)), aside)


def rules(samples: Path) -> dict[str, Predictions]:
    """The shown order; and the items touched in this session, the latest first, then the shown order."""
    table = flat(samples, "test", ["shown_rank", "session_touch_order"])
    shown = table["shown_rank"].to_numpy().astype(np.float64)
    touched = np.nan_to_num(
        table["session_touch_order"].to_numpy(zero_copy_only=False).astype(np.float64), nan=1e4
    )
    orders = {"shown order": shown, "most recently touched first": touched * 100 + shown}
    return {
        name: predictions_of(table.append_column("score", pa.array(1 / (1 + order))))
        for name, order in orders.items()
    }


def measure(found: dict[str, list[Trained]], samples: Path) -> list[dict[str, Any]]:
    """Test MRR of everything, with paired differences to the two rules and to LightGBM."""
    models = {name: [prediction] for name, prediction in rules(samples).items()}
    models |= {
        name: [align(one.test, models["shown order"][0]) for one in seeds] for name, seeds in found.items()
    }
    bases = {"shown": "shown order", "touched": "most recently touched first", "lightgbm": "lightgbm"}
    rows = []
    for name, seeds in models.items():
        values = [mean_reciprocal_rank(one) for one in seeds]
        interval = bootstrap(seeds[0], ["mrr"])["mrr"].estimate()
        row: dict[str, Any] = {"model": name, "test_mrr": np.mean(values), "lists": interval.groups}
        row |= {"seeds": len(values), "by_seed": " ".join(f"{value:.5f}" for value in values)}
        for base, of in bases.items():
            if of == name:
                continue
            change = paired_difference(models[of], seeds, ["mrr"])["mrr"]
            row |= {
                f"over_{base}": change.value,
                f"over_{base}_low": change.low,
                f"over_{base}_high": change.high,
            }
        if name in found:
            row["valid_mrr"] = np.mean([one.valid for one in found[name]])
            row["parameters"] = found[name][0].parameters
            row["seconds"] = np.mean([one.seconds for one in found[name]])
        rows.append(row)
    return rows


def align(predictions: Predictions, base: Predictions) -> Predictions:
    """Check that both hold the same rows in the same order."""
    if not predictions.ids.equals(base.ids):
        raise ValueError("predictions are not in the order of the store")
    return predictions


def mean_reciprocal_rank(predictions: Predictions) -> float:
    """MRR over lists."""
    return mrr(rank(predictions.score, predictions.request), predictions.click).value


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """A CSV with the command and the machine in every row, and the same on the screen."""
    where = {"command": "python benchmarks/trivago.py", "machine": f"2 cores {platform.machine()}"}
    where |= {name: version for name, version in versions().items() if name in ("corank", "torch", "python")}
    where["lightgbm"] = lightgbm.__version__
    names = list(dict.fromkeys(key for row in rows for key in row))
    with whole_file(path) as aside, aside.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*names, *where])
        writer.writeheader()
        for row in rows:
            shown = {key: f"{value:.5f}" if isinstance(value, float) else value for key, value in row.items()}
            writer.writerow({**shown, **where})
            print("  ".join(f"{key} {value}" for key, value in shown.items()), flush=True)


if __name__ == "__main__":
    main()
