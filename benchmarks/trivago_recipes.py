"""Do other interactions as labels, and a wider context, help to predict trivago's next clickout?

Run: python benchmarks/trivago_recipes.py [--data PARQUET] [--work work/trivago_recipes]

Samples by recipe, with the same features (benchmarks/trivago.yaml) and the same validation and test lists,
byte for byte. Each model has three trials with each condition, chosen by MRR on the validation split: three
settings of its own, or, where labels are attributed, the first of them with three weights of those labels.
Then five seeds of the chosen trial, compared with those of `exposed`. Besides, at one setting of the model,
what the weights, the actions and the widening change. Columns `later_` judge the same scores by what
attribution labels: of the test lists' other items, those that the user touches afterwards. Writes
results/trivago_recipes.csv and, beside it, trivago_recipes_trials.csv and trivago_recipes_samples.csv.
Interrupted, it goes on where it was. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from corank.evaluation.intervals import bootstrap, paired_difference
from trivago_labels import described
from trivago_later import Flags, judged_by, touched_later
from trivago_samples import SAMPLES, STRONG, WEAK, build
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

COMMAND = "python benchmarks/trivago_recipes.py"
SEEDS = (0, 1, 2, 3, 4)
# No early stop: the best epoch is kept all the same, and a seed's bad second epoch does not end it.
TRAINING = (*COMMON, "epochs=4", "patience=4")
RATES: list[Setting] = [{"optimizer.lr": rate} for rate in (1e-3, 5e-4, 2e-3)]
SETTINGS: dict[str, list[Setting]] = {
    "lightgbm": [
        {"num_leaves": 31, "min_data_in_leaf": 50},
        {"num_leaves": 15, "min_data_in_leaf": 100},
        {"num_leaves": 15, "min_data_in_leaf": 400},
    ],
    "dlrm_mlp_s": RATES,
    "rankmixer_s": RATES,
}
"""The settings of each model, the one that was best in results/trivago_trials.csv first."""

CONDITIONS = {
    "exposed": ["exposed"],
    "attributed": ["attributed_1", "attributed_0.3", "attributed_0.1"],
    "unexposed": ["unexposed"],
    "unexposed + attributed": ["both_1", "both_0.3", "both_0.1"],
}
"""Samples of each condition."""

FIXED: dict[str, tuple[str, Setting]] = {
    "exposed": ("exposed", {}),
    "attributed, weight 1": ("attributed_1", {}),
    "attributed, weight .3": ("attributed_0.3", {}),
    "attributed, weight .1": ("attributed_0.1", {}),
    "attributed without images": ("attributed_strong", {}),
    "attributed, graded": ("attributed_1", {"graded": 1}),
    "unexposed": ("unexposed", {}),
    "unexposed, touched too": ("unexposed_touched", {}),
    "unexposed, no place": ("unexposed_unplaced", {}),
    "unexposed, no place or price": ("unexposed_bare", {}),
    "unexposed + attributed, weight 1": ("both_1", {}),
}
"""What is varied at the first setting: samples, and what is added to the setting (LightGBM's only)."""

Runs = tuple[str, Setting, list[Trained]]
"""Samples, setting, one run a seed."""


def main() -> None:
    """Import, build samples, train what is not there yet, measure, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=ROOT / "work" / "trivago_recipes")
    args = parser.parse_args()
    import_log(args.data, args.work / "logs")
    build(args.work)
    results = ROOT / "results"
    write(results / "trivago_recipes_samples.csv", described(args.work), COMMAND)
    later = touched_later(args.work / "samples" / "exposed", args.work / "logs", WEAK + STRONG)
    rows: list[dict[str, Any]] = []
    trials: list[dict[str, Any]] = []
    for model in SETTINGS:
        found = {"chosen": chosen(model, args.work, trials)}
        if model != "rankmixer_s":  # it takes three times as long as DLRM-MLP
            found["fixed"] = fixed(model, args.work)
        for comparison, runs in found.items():
            rows += measured(comparison, model, runs, later)
    write(results / "trivago_recipes_trials.csv", trials, COMMAND)
    write(results / "trivago_recipes.csv", rows, COMMAND)


def chosen(model: str, work: Path, trials: list[dict[str, Any]]) -> dict[str, Runs]:
    """Five seeds of the trial that validation chose, for each condition; `trials` gets all three."""
    found: dict[str, Runs] = {}
    for condition, samples in CONDITIONS.items():
        settings = SETTINGS[model]
        tries = [(name, settings[0]) for name in samples]
        if len(samples) == 1:
            tries = [(samples[0], setting) for setting in settings]
        valid = [one_run(model, setting, 0, name, work).valid for name, setting in tries]
        best = int(np.argmax(valid))
        for place, ((name, setting), value) in enumerate(zip(tries, valid, strict=True)):
            row = {"model": model, "condition": condition, "store": name, "setting": as_text(setting)}
            trials.append({**row, "valid_mrr": value, "chosen": place == best})
        name, setting = tries[best]
        found[condition] = (name, setting, seeds(model, setting, name, work))
    return found


def fixed(model: str, work: Path) -> dict[str, Runs]:
    """Five seeds of the model's first setting, for each variation."""
    found: dict[str, Runs] = {}
    for condition, (name, more) in FIXED.items():
        if not more or model == "lightgbm":
            setting = {**SETTINGS[model][0], **more}
            found[condition] = (name, setting, seeds(model, setting, name, work))
    return found


def seeds(model: str, setting: Setting, samples: str, work: Path) -> list[Trained]:
    """A run for every seed."""
    return [one_run(model, setting, seed, samples, work) for seed in SEEDS]


def one_run(model: str, setting: Setting, seed: int, samples: str, work: Path) -> Trained:
    """Train, or read what is there."""
    return train(model, setting, seed, work / "samples" / samples, work / "runs" / samples, TRAINING)


def measured(
    comparison: str, model: str, found: dict[str, Runs], later: tuple[Flags, Flags]
) -> list[dict[str, Any]]:
    """Test MRR of each condition and its paired difference to `exposed`."""
    base = [one.test for one in found["exposed"][2]]
    rows = []
    for condition, (name, setting, runs) in found.items():
        tests = [align(one.test, base[0]) for one in runs]
        values = [mean_reciprocal_rank(one) for one in tests]
        row: dict[str, Any] = {"comparison": comparison, "model": model, "condition": condition}
        row |= {"recipe": SAMPLES[name].recipe, "store": name, "setting": as_text(setting)}
        row |= {"test_mrr": np.mean(values), "lists": tests[0].requests, "seeds": len(values)}
        row["by_seed"] = " ".join(f"{value:.5f}" for value in values)
        touched = [judged_by(one, *later) for one in tests]
        if condition == "exposed":
            later_base = touched
        else:
            change = paired_difference(base, tests, ["mrr"])["mrr"]
            row |= {"over_exposed": change.value, "low": change.low, "high": change.high}
            change = paired_difference(later_base, touched, ["mrr"])["mrr"]
            row |= {"later_over_exposed": change.value, "later_low": change.low, "later_high": change.high}
        row["later_mrr"] = np.mean([mean_reciprocal_rank(one) for one in touched])
        row["later_lists"] = bootstrap(touched[0], ["mrr"])["mrr"].groups
        row["valid_mrr"] = np.mean([one.valid for one in runs])
        row["seconds"] = np.mean([one.seconds for one in runs])
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
