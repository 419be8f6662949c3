"""All families on trivago's lists and on a simulated marketplace, tuned alike, at equal size.

Run: python benchmarks/families.py --task marketplace|trivago [--models rankmixer,unimixer] [--minutes 30]

Every family has about the parameters beside embeddings, or else the operations, of RankMixer; the UniMixers
come at both. Every model has the same number of trials, drawn alike, of which validation chooses one; that is
trained with fresh seeds: five for the UniMixers, RankMixer, DCNv2 and DeepFM, three for the others. Every run
is a row of results/families_runs.csv; the next call goes on after them. results/families.csv is the summary:
test metrics with intervals over requests and seeds, paired differences to RankMixer and to the MLP,
parameters, operations, step time. One thread. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import csv
import time
from typing import Any

import torch

from corank.files import write_csv
from families_tasks import FLOPS_ALONE, METRIC, ROOT, TASKS, WORK
from store_task import StoreTask
from tuning import Study
from tuning_summary import summary

RUNS = ROOT / "results" / "families_runs.csv"
SUMMARY = ROOT / "results" / "families.csv"
COMMAND = "python benchmarks/families.py --task {}"
TRIALS = 4
FIVE_SEEDS = ("unimixer", "rankmixer", "dcnv2", "deepfm")
SPACE = {
    "optimizer.lr": (3e-4, 1e-2),
    "optimizer.embedding_lr": (1e-3, 3e-2),
    "optimizer.weight_decay": (1e-3, 1.0),
}
"""What a trial draws, the same for every model."""
BASES = ("rankmixer", "dlrm_mlp")
NEAR = 0.13
"""How far a family's size may be from RankMixer's."""


def main() -> None:
    """Do what is not there yet, as far as the time goes; summarise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=list(TASKS), help="only summarise if not given")
    parser.add_argument("--models", help="some of them, in this order")
    parser.add_argument("--trials", type=int, default=TRIALS, help="of each model")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no run after so long")
    args = parser.parse_args()
    until = time.monotonic() + 60 * args.minutes
    torch.set_num_threads(1)
    if args.task:
        task = TASKS[args.task]
        models = args.models.split(",") if args.models else list(task.models)
        unknown = [model for model in models if model not in task.models]
        if unknown:
            parser.error(f"no such model: {', '.join(unknown)}; there are {', '.join(task.models)}")
        check_sizes(task)
        for model in models:
            done = study(task, args.trials).go_on([model], until)
            write_csv(SUMMARY, summarised(args.trials))
            if not done:
                break
    write_csv(SUMMARY, summarised(args.trials))


def study(task: StoreTask, trials: int = TRIALS) -> Study:
    """Of one task."""
    return Study(task, list(task.models), SPACE, trials, seeds, RUNS, WORK, COMMAND.format(task.name))


def seeds(model: str) -> int:
    """How many a model has."""
    return 5 if any(model.startswith(name) and "sparse" not in model for name in FIVE_SEEDS) else 3


def check_sizes(task: StoreTask) -> None:
    """Assert that the sizes are what this study says of them."""
    base = task.counts("rankmixer")
    for model in set(task.models) - {"fm"}:
        of = "flops_a_sample" if model in FLOPS_ALONE else "dense_parameters"
        share = task.counts(model)[of] / base[of]
        assert abs(share - 1) < NEAR, f"{task.name}: {model} has {share:.2f} of RankMixer's {of}"


def summarised(trials: int) -> list[dict[str, Any]]:
    """The rows of all tasks; those of a task whose samples are not here stay as they were."""
    before: list[dict[str, Any]] = []
    if SUMMARY.exists():
        with SUMMARY.open(newline="") as stream:
            before = list(csv.DictReader(stream))
    rows: list[dict[str, Any]] = []
    for task in TASKS.values():
        if not task.samples.exists():
            rows += [row for row in before if row["task"] == task.name]
            continue
        simulated = {"simulated": task.name == "marketplace"}
        rows += [row | simulated for row in summary(study(task, trials), metrics(task.name), BASES)]
    return rows


def metrics(task: str) -> list[str]:
    """All, that by which models are compared first."""
    others = ("gauc", "mrr", "ndcg@10", "auc", "logloss")
    return [METRIC[task], *(name for name in others if name != METRIC[task])]


if __name__ == "__main__":
    main()
