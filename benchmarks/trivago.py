"""Re-ranking trivago's lists: corank's models, LightGBM LambdaRank and two rules, on the last 20 % of lists.

Run: python benchmarks/trivago.py [--data PARQUET] [--work work/trivago]

Every model has the same features (benchmarks/trivago.yaml) and the same number of trials; a trial is chosen
by MRR on the validation split (the tenth of the lists before the test), then trained with three seeds. Writes
results/trivago.csv and results/trivago_trials.csv. Interrupted, it goes on where it was. Needs the extra
`bench`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corank import verbs
from corank.evaluation.intervals import bootstrap, paired_difference
from corank.evaluation.predictions import Predictions, predictions_of
from corank.progress import reporter
from trivago_columns import flat
from trivago_study import (
    COMMON,
    DATA,
    ROOT,
    Setting,
    Trained,
    align,
    as_text,
    import_log,
    mean_reciprocal_rank,
    train,
    write,
)

COMMAND = "python benchmarks/trivago.py"
SEEDS = (0, 1, 2)
TRIALS: dict[str, list[Setting]] = {
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


def main() -> None:
    """Import, build samples, train what is not there yet, measure, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=ROOT / "work" / "trivago")
    args = parser.parse_args()
    logs, samples, runs = args.work / "logs", args.work / "samples", args.work / "runs"
    import_log(args.data, logs)
    if not samples.exists():
        verbs.samples(logs, samples, "exposed", progress=reporter())

    found: dict[str, list[Trained]] = {}
    trials: list[dict[str, Any]] = []
    common = (*COMMON, "epochs=6")
    for model, settings in TRIALS.items():
        tried = [train(model, setting, 0, samples, runs, common) for setting in settings]
        best = int(np.argmax([one.valid for one in tried]))
        for setting, one in zip(settings, tried, strict=True):
            chosen = setting is settings[best]
            trials.append(
                {"model": model, "setting": as_text(setting), "valid_mrr": one.valid, "chosen": chosen}
            )
        found[model] = [train(model, settings[best], seed, samples, runs, common) for seed in SEEDS]
    write(ROOT / "results" / "trivago_trials.csv", trials, COMMAND)
    write(ROOT / "results" / "trivago.csv", measure(found, samples), COMMAND)


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


if __name__ == "__main__":
    main()
