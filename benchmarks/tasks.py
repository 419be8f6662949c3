"""Tasks and losses compared on a simulated marketplace: purchases over the entire space, and position.

Run: python benchmarks/tasks.py [--group purchases|position] [--seeds 5] [--minutes 60]

One model, DLRM-MLP of size `s`, on exposed samples; only the loss differs. `purchases`: a score of purchases
from a head of its own, as click times conversion (ESMM), and that with ESCM2's two risks of the conversion;
chosen by AUC of purchases on validation. `position`: clicks without a correction, by inverse propensity with
the search's true curve (1 / position^.75), with one too steep (1 / position) and with labels y / P, whose
loss has no lower bound, and with a position tower; chosen by GAUC of clicks. The same trials for all: the
learning rate, and where there is one the weight of the conversion's risk. Runs that count also re-rank the
days after the log, whose simulated users say what the order is worth. Every run is a row of
results/tasks_runs.csv; results/tasks.csv is the summary. Interrupted, it goes on. One thread. Needs the extra
`bench`.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from corank import verbs
from corank.evaluation.intervals import bootstrap
from corank.evaluation.metrics import build_statistics
from corank.evaluation.predictions import Predictions, read_predictions
from corank.evaluation.spaces import space
from corank.evaluation.statistics import RequestSums
from corank.files import write_csv
from corank.samples import read_manifest
from tuning import TRIAL_SEED, Outcome, Study, Sums
from tuning_summary import gain, mean

ROOT = Path(__file__).parent.parent
WORK = ROOT / "work" / "tasks"
RUNS, SUMMARY = ROOT / "results" / "tasks_runs.csv", ROOT / "results" / "tasks.csv"
COMMAND = "python benchmarks/tasks.py --group {} --seeds {}"
MODEL = "dlrm_mlp_s"
SEARCHES, TEST = 60_000, 0.4
"""Of the log, and the share of the last that are the test: purchases are few."""
FRESH_DAYS = 2
"""After the log's end, in which users act on the runs' orders."""
TRAINING = (
    "epochs=3",
    "patience=3",
    "evaluations_per_epoch=2",
    "reader.batch_samples=1024",
    "snapshots.moments=0",
)
RATE = {"optimizer.lr": (5e-4, 8e-3)}
RISK = RATE | {"loss.conversion.weight": (0.03, 1.0)}
TRIALS = 6
IPW = ("loss.position.correct=ipw", "loss.position.decay=0.75")
PRODUCT = ("model.tasks=[click, purchase]", "model.purchase=product")


@dataclass(frozen=True)
class Loss:
    """What differs: settings of the run, and what its trials draw."""

    settings: tuple[str, ...]
    space: Mapping[str, tuple[float, float]]


GROUPS: dict[str, dict[str, Loss]] = {
    "purchases": {
        "direct": Loss(("model.tasks=[click, purchase]",), RATE),
        "ESMM": Loss(PRODUCT, RATE),
        "ESCM2-IPW": Loss((*PRODUCT, "loss.conversion.correct=ipw"), RISK),
        "ESCM2-DR": Loss((*PRODUCT, "loss.conversion.correct=dr", "model.imputation=true"), RISK),
    },
    "position": {
        "none": Loss((), RATE),
        "ipw, true curve": Loss((*IPW, "loss.position.bounded=true"), RATE),
        "ipw, too steep": Loss(("loss.position.correct=ipw", "loss.position.bounded=true"), RATE),
        "ipw, labels y / P": Loss((*IPW, "loss.position.bounded=false"), RATE),
        "tower": Loss(("loss.position.correct=tower",), RATE),
    },
}
CHOSEN_BY = {"purchases": "ctcvr_auc", "position": "gauc"}
METRICS = {
    "purchases": ("ctcvr_gauc", "ctcvr_auc", "ctcvr_logloss", "ctcvr_calibration", "gauc", "purchase_gauc"),
    "position": ("gauc", "auc", "logloss", "calibration", "purchase_gauc"),
}
"""Of exposed test samples, and, as `all_...`, of entire lists with labels of all channels."""
USERS = ("clicks", "purchases", "money")
SHOWN = {
    "purchases": {
        "ctcvr_gauc": "GAUC of purchases, exposed",
        "ctcvr_auc": "AUC of purchases, exposed",
        "ctcvr_calibration": "purchases predicted / made",
        "all_ctcvr_gauc": "GAUC of purchases, all channels",
        "users_purchases": "users' purchases a search",
    },
    "position": {
        "gauc": "GAUC, exposed",
        "all_gauc": "GAUC, all channels",
        "calibration": "clicks predicted / made",
        "users_clicks": "users' clicks a search",
        "users_money": "users' money a search",
    },
}
"""Metrics of the tables."""


@dataclass(frozen=True)
class Losses:
    """The losses of one group on one log, as a task of `tuning`."""

    name: str

    @property
    def logs(self) -> Path:
        """The simulated log, shared by the groups."""
        return WORK / "logs"

    @cached_property
    def samples(self) -> Path:
        """Exposed samples of it, made if they are not there."""
        if not self.logs.exists():
            verbs.simulate(self.logs, seed=0, settings=[f"requests={SEARCHES}"])
        if not (WORK / "samples").exists():
            verbs.samples(self.logs, WORK / "samples", "exposed", settings=[f"test={TEST}"])
        return WORK / "samples"

    def setup(self, model: str) -> str:
        """What is the same in all runs of a loss."""
        fingerprint = read_manifest(self.samples).fingerprint[:8]
        return " ".join((MODEL, *GROUPS[self.name][model].settings, *TRAINING, f"samples={fingerprint}"))

    def train(self, model: str, settings: Mapping[str, float], seed: int) -> Outcome:
        """Train; but for a trial measure both tests and what users do; leave nothing behind."""
        folder = WORK / "run"
        shutil.rmtree(folder, ignore_errors=True)
        given = [*TRAINING, f"metric={CHOSEN_BY[self.name]}", *GROUPS[self.name][model].settings]
        given += [f"{name}={value:g}" for name, value in settings.items()]
        started = time.process_time()
        info = verbs.train(self.samples, folder, MODEL, seed, given)
        facts = {"cpu_seconds": time.process_time() - started, "best_step": float(info.best_step or 0)}
        assert info.best_metric is not None
        test: dict[str, float] = {}
        sums: dict[str, Sums] = {}
        if seed != TRIAL_SEED:
            test, sums = measured(
                read_predictions(verbs.predict(folder, self.samples, folder / "test.parquet")),
                METRICS[self.name],
            )
            by = "purchase" if self.name == "purchases" else "click"
            played = verbs.abtest(folder, folder, self.logs, FRESH_DAYS, draws=0, task=by, seed=seed)
            expected = played.arms[0].values["expected"]
            test |= {f"users_{name}": expected[name].value or 0.0 for name in USERS}
        shutil.rmtree(folder)
        return Outcome(info.best_metric.value, test, sums, facts)


def measured(predictions: Predictions, metrics: Sequence[str]) -> tuple[dict[str, float], dict[str, Sums]]:
    """Metrics of both tests, and what each request adds to those of lists."""
    test: dict[str, float] = {}
    sums: dict[str, Sums] = {}
    for where, prefix in (("exposed", ""), ("all_channels", "all_")):
        rows = space(predictions, where)
        test |= {prefix + name: draws.value for name, draws in bootstrap(rows, metrics, resamples=0).items()}
        lists = build_statistics(rows, metrics[:1]).items()
        sums |= {prefix + name: one.columns for name, one in lists if isinstance(one, RequestSums)}
    return test, sums


def study(group: str, model: str, seeds: int) -> Study:
    """The study of one loss: its own space, the same trials."""
    return Study(
        task=Losses(group),
        models=[model],
        space=GROUPS[group][model].space,
        trials=TRIALS,
        seeds=lambda _: seeds,
        runs=RUNS,
        work=WORK,
        command=COMMAND.format(group, seeds),
    )


def summarised(group: str, seeds: int) -> Iterator[dict[str, Any]]:
    """A row a loss and metric, with its difference to the group's first.

    Runs of one seed have the same fresh days, so what users did is compared seed by seed.
    """
    first, *_ = losses = list(GROUPS[group])
    base = study(group, first, seeds).finals(first)
    for loss in losses:
        one = study(group, loss, seeds)
        finals = one.finals(loss)
        for metric in finals[0].test if finals else ():
            row: dict[str, Any] = {"group": group, "loss": loss, "metric": metric, "seeds": len(finals)}
            found = mean(one, finals, metric)
            row |= found.cells("value") | {"interval_over": found.over}
            if loss != first:
                of_users = metric.startswith("users_")
                row |= gain(one, base, finals, metric, same_seeds=of_users).cells("over_first")
            told = {"settings": finals[0].settings, "complete": one.complete(loss), "simulated": True}
            yield row | told | {name: getattr(finals[0], name) for name in ("command", "machine", "versions")}


def table(rows: Sequence[Mapping[str, Any]], group: str) -> list[str]:
    """A line a loss, as in docs/experiments.md: the first's metrics, then differences with intervals."""
    shown = SHOWN[group]
    lines = [f"| loss | {' | '.join(shown.values())} |", "|---" * (1 + len(shown)) + "|"]
    cells = {(row["loss"], row["metric"]): row for row in rows if row["group"] == group}
    for number, loss in enumerate(dict.fromkeys(loss for loss, _ in cells)):
        kind, sign = ("over_first", "+") if number else ("value", "")
        own = [[float(cells[loss, metric][kind + end]) for end in ("", "_low", "_high")] for metric in shown]
        told = [f"{value:{sign}.4f} [{low:{sign}.4f}, {high:{sign}.4f}]" for value, low, high in own]
        lines.append(f"| {loss} | {' | '.join(told)} |")
    return lines


def main() -> None:
    """Do what is not there yet, as far as the time goes; summarise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--group", choices=list(GROUPS), help="one of them; default: both")
    parser.add_argument("--seeds", type=int, default=5, help="of each loss")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no run after so long")
    args = parser.parse_args()
    until = time.monotonic() + 60 * args.minutes
    torch.set_num_threads(1)
    for group in [args.group] if args.group else list(GROUPS):
        for model in GROUPS[group]:
            study(group, model, args.seeds).go_on([model], until)
    rows = [row for group in GROUPS for row in summarised(group, args.seeds)]
    write_csv(SUMMARY, rows)
    for group in GROUPS:
        print("\n".join(table(rows, group)), end="\n\n")


if __name__ == "__main__":
    main()
