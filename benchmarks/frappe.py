"""All families on Frappe_x1 with train negatives redrawn, tuned alike, beside the published leaderboard.

Run: python benchmarks/frappe.py [--data FOLDER] [--models dcnv2,unimixer] [--trials 8] [--minutes 30]

Every model has the same number of trials over the same settings of training (Optuna's TPE), chosen by AUC on
the validation split; the best setting is then trained with fresh seeds: five for the UniMixer family,
RankMixer, DCNv2 and DeepFM, three for the others. Every run that has finished is a row of
results/frappe_runs.csv, and these rows are all that resuming needs: the next call, on this machine or
another, goes on after them as if there had been no break. results/frappe.csv is the summary. Needs the extra
`bench`.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch
from scipy.stats import t as student

import ctr
from corank.files import whole_file
from corank.training.run import versions

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "results" / "frappe_runs.csv"
SUMMARY = ROOT / "results" / "frappe.csv"
FINAL, TRIAL = "final", "trial"
TRIAL_SEED = 0
"""Of every trial; the final seeds begin after it, so that no chosen run is counted again."""

RECIPE = ("epochs=12", "patience=12", "batch=1024", "optimizer.decay=linear")
"""Of every run: the rate falls to 0 over 12 epochs, all of which are run; the best by AUC on valid counts.
What made the plain DNN reach its published AUC: benchmarks/frappe_recipe.py."""

NORM, FIELDS, CONCAT = "embedding_norm=batch", "tokenizer.kind=fields", "pooling=concat"
MLP = ("hidden=[256,128]", "dropout=0.2")
UNIMIXER = (
    NORM,
    CONCAT,
    "tokenizer.tokens=4",
    "width=64",
    "blocks=1",
    "expansion=1.5",
    "temperature.kind=constant",
    "mixing.lean=2",
)
NORMAL = "mixing.global_init=normal"
"""How mixing began by default when these models' rows were made: docs/experiments.md, "How mixing begins"."""
MODELS: dict[str, tuple[str, ...]] = {
    "dlrm_mlp": (NORM, *MLP),
    "dcnv2": (NORM, *MLP, "cross_layers=3"),
    "unimixer_lite": (*UNIMIXER, NORMAL, "mixing.rank=16"),
    "rankmixer": (NORM, CONCAT, FIELDS, "width=40", "expansion=1"),
    "deepfm": (NORM, "embedding_width=11", "start=sum", *MLP),
    "unimixer": (*UNIMIXER, NORMAL),
    "unimixer_lite_factored": (*UNIMIXER, "mixing.rank=16"),
    "fm": (NORM, "embedding_width=11", "start=sum"),
    "autoint": (NORM, "width=64", "blocks=2"),
    "transformer": (NORM, CONCAT, "tokenizer.tokens=5", "width=64", "heads=4"),
    "wukong": (NORM, "width=16", "products=8", "combinations=8", "rank=8", "hidden=[128]", "last=[64]"),
    "hetero_attention": (NORM, CONCAT, "tokenizer.tokens=4", "width=40", "expansion=1"),
    "hiformer": (NORM, CONCAT, "tokenizer.tokens=4", "width=40", "expansion=1", "rank=20"),
    "fat": (NORM, CONCAT, "width=32", "expansion=1"),
    "rankmixer_sparse": (NORM, CONCAT, FIELDS, "width=20", "expansion=1"),
    "tokenmixer_large": (NORM, "width=24", "tokenizer.tokens=9"),
}
"""Sizes, in the order of running: `FAMILY_s` with these settings, and embeddings of 10 (and, for FM's
first-order weight, 1). Beside embeddings, about as many parameters as DCNv2; UniMixers no more."""
FIVE_SEEDS = {"unimixer", "unimixer_lite", "unimixer_lite_factored", "rankmixer", "dcnv2", "deepfm"}

SPACE: dict[str, optuna.distributions.BaseDistribution] = {
    "optimizer.lr": optuna.distributions.FloatDistribution(1e-3, 4e-3, log=True),
    "embedding_l2": optuna.distributions.FloatDistribution(1e-2, 2e-1, log=True),
    "optimizer.weight_decay": optuna.distributions.FloatDistribution(1e-3, 1.0, log=True),
}
"""What a trial draws, the same for every model."""

PUBLISHED = {
    "dlrm_mlp": ("DNN", 0.98405, None),
    "dcnv2": ("DCN-V2", 0.98382, 0.1491),
    "deepfm": ("DeepFM", 0.9842, 0.1482),
    "fm": ("FM", 0.9671, 0.2065),
    "autoint": ("AutoInt", 0.9831, 0.1637),
}
"""Name, AUC and log loss on the original train split: means of five runs for DNN and DCN-V2's AUC, else the
leaderboard's single runs. The best there: FinalMLP, .9861."""


@dataclass(frozen=True)
class Run:
    """A row of results/frappe_runs.csv: one trained model."""

    model: str
    size: str
    settings: str
    seed: int
    kind: str
    number: int
    valid_auc: float
    test_auc: float
    test_logloss: float
    parameters: int
    flops_a_sample: int
    seconds: float
    best_epoch: int
    versions: str

    @classmethod
    def of(cls, row: Mapping[str, str]) -> Run:
        """From the text of a row."""
        kinds = {"int": int, "float": float, "str": str}
        return cls(**{name: kinds[str(kind)](row[name]) for name, kind in cls.__annotations__.items()})


def main() -> None:
    """Do what is not there yet, as far as the time goes; summarise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = ROOT.parent / "shared" / "data" / "frappe_x1"
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--models", default=",".join(MODELS), help="some of them, in this order")
    parser.add_argument("--trials", type=int, default=8, help="of each model")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no run after so long")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    models = [name.strip() for name in args.models.split(",")]
    unknown = [name for name in models if name not in MODELS]
    if unknown:
        parser.error(f"no such model: {', '.join(unknown)}; there are {', '.join(MODELS)}")
    until = time.monotonic() + 60 * args.minutes
    clicks = ctr.read(args.data)
    for model in models:
        while time.monotonic() < until and (job := following(model, args.trials, recorded())):
            record(run(job, clicks))
    summarise(recorded(), args.trials)


@dataclass(frozen=True)
class Job:
    """A run to be done."""

    model: str
    kind: str
    number: int
    seed: int
    drawn: dict[str, float]


def following(model: str, trials: int, done: list[Run]) -> Job | None:
    """The next run of a model: its trials in order, then the seeds of the best of them."""
    mine = [one for one in done if one.model == model]
    tried = sorted((one for one in mine if one.kind == TRIAL), key=lambda one: one.number)[:trials]
    if len(tried) < trials:
        return Job(model, TRIAL, len(tried), TRIAL_SEED, draw(model, tried))
    best = max(tried, key=lambda one: one.valid_auc)
    seeds = {one.seed for one in mine if one.kind == FINAL and one.settings == best.settings}
    for seed in final_seeds(model):
        if seed not in seeds:
            return Job(model, FINAL, best.number, seed, json.loads(best.settings))
    return None


def final_seeds(model: str) -> range:
    """The seeds that count."""
    return range(TRIAL_SEED + 1, TRIAL_SEED + 1 + (5 if model in FIVE_SEEDS else 3))


def draw(model: str, tried: list[Run]) -> dict[str, float]:
    """The next trial's settings: a function of the model and the trials before, so that any may resume."""
    seed = zlib.crc32(f"{model}/{len(tried)}".encode())
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=4)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for one in tried:
        made = optuna.trial.create_trial(
            params=json.loads(one.settings), distributions=SPACE, value=one.valid_auc
        )
        study.add_trial(made)
    return {name: float(f"{value:.4g}") for name, value in study.ask(SPACE).params.items()}


def run(job: Job, clicks: ctr.ClickData) -> Run:
    """Train and measure."""
    sizes = ("embedding_width=10", *MODELS[job.model])
    drawn = [f"{name}={value}" for name, value in job.drawn.items()]
    config = ctr.CTRConfig().with_settings([*RECIPE, *drawn])
    found = ctr.train(f"{job.model}_s", sizes, config, clicks, job.seed)
    made = ("python", "torch", "numpy")
    return Run(
        model=job.model,
        size=" ".join(sizes),
        settings=json.dumps(job.drawn),
        seed=job.seed,
        kind=job.kind,
        number=job.number,
        valid_auc=round(found.valid_auc, 6),
        test_auc=round(found.test_auc, 6),
        test_logloss=round(found.test_logloss, 6),
        parameters=found.parameters,
        flops_a_sample=found.flops,
        seconds=round(found.seconds, 1),
        best_epoch=found.epoch,
        versions=" ".join(f"{name} {versions()[name]}" for name in made) + f" optuna {optuna.__version__}",
    )


def recorded() -> list[Run]:
    """The runs that are there."""
    if not RUNS.exists():
        return []
    with RUNS.open(newline="") as stream:
        return [Run.of(row) for row in csv.DictReader(stream)]


def record(one: Run) -> None:
    """Add a row; the file is whole at every moment."""
    rows = [*recorded(), one]
    write(RUNS, [vars(row) for row in rows])
    print(
        f"{one.model} {one.kind} {one.number} seed {one.seed}: valid {one.valid_auc:.4f} "
        f"test {one.test_auc:.4f} epoch {one.best_epoch} {one.seconds:.0f} s {one.settings}",
        flush=True,
    )


def summarise(runs: list[Run], trials: int) -> None:
    """Mean, deviation and interval of each model's final runs, as far as they are done."""
    write(SUMMARY, list(summary(runs, trials)))


def summary(runs: list[Run], trials: int) -> Iterator[dict[str, Any]]:
    """A row a model that has been begun."""
    for model in MODELS:
        mine = [one for one in runs if one.model == model]
        tried = [one for one in mine if one.kind == TRIAL and one.number < trials]
        if not tried:
            continue
        best = max(tried, key=lambda one: one.valid_auc)
        seeds = [one for one in mine if one.kind == FINAL and one.settings == best.settings]
        complete = len(tried) == trials and len(seeds) == len(final_seeds(model))
        name, auc, logloss = PUBLISHED.get(model, ("", None, None))
        yield {
            "model": model,
            "complete": complete,
            "trials": len(tried),
            "seeds": len(seeds),
            **spread("test_auc", [one.test_auc for one in seeds]),
            **spread("test_logloss", [one.test_logloss for one in seeds]),
            "valid_auc_best_trial": best.valid_auc,
            "parameters": best.parameters,
            "flops_a_sample": best.flops_a_sample,
            "seconds_a_run": round(statistics.mean(one.seconds for one in [*tried, *seeds]), 1),
            "published_model": name,
            "published_auc": auc,
            "published_logloss": logloss,
        }


def spread(name: str, values: list[float]) -> dict[str, Any]:
    """Mean, and from two seeds on the standard deviation and Student's 95 % interval of the mean."""
    count = len(values)
    mean = round(statistics.mean(values), 5) if count else None
    sd = statistics.stdev(values) if count > 1 else None
    half = float(student.ppf(0.975, count - 1)) * sd / count**0.5 if sd is not None else None
    ends = (None, None) if half is None or mean is None else (round(mean - half, 5), round(mean + half, 5))
    rounded = None if sd is None else round(sd, 5)
    return {name: mean, f"{name}_sd": rounded, f"{name}_low": ends[0], f"{name}_high": ends[1]}


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """A CSV."""
    if not rows:
        return
    with whole_file(path) as aside, aside.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
