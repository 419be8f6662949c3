"""What each part of UniMixer is worth: every switch in turn, the same seeds, at the setting tuned for it.

Run: python benchmarks/ablations.py [--task marketplace] [--family unimixer] [--seeds 3] [--minutes 30]

UniMixer and UniMixer-Lite at their size `s`, each at the setting that benchmarks/families.py chose for it
(which must be there), with one thing changed at a time: temperature, warm-up, symmetry, block-specific W_B,
the norm, Sinkhorn, initial logits; of the Lite rank, basis, depth, positive factors at equal rank. Nothing
is tuned anew: a variation that would want another learning rate is at a loss. Runs of one seed see the same
order of samples, and differences are taken seed by seed. Seeds go round by round, so that a study that is
broken off has compared everything. Every run is a row of results/ablations_runs.csv; results/ablations.csv is
the summary, with the paper's published difference beside ours. One thread. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

import families
from corank.files import write_csv
from families_tasks import ROOT, TASKS, WORK
from store_task import Sizes
from tuning import Study
from tuning_summary import summary

RUNS = ROOT / "results" / "ablations_runs.csv"
SUMMARY = ROOT / "results" / "ablations.csv"
COMMAND = "python benchmarks/ablations.py --task {} --seeds {}"


@dataclass(frozen=True)
class Change:
    """What differs from the family's size `s`, and what the paper saw: percentage points of AUC."""

    settings: tuple[str, ...] = ()
    family: str = ""
    published: float | None = None


BASE = "as it is"
CHANGES: dict[str, dict[str, Change]] = {
    "unimixer": {
        BASE: Change(),
        "no temperature (tau = 1)": Change(("temperature.kind=constant",), published=-0.1645),
        "no warm-up (tau = .05)": Change(
            ("temperature.kind=constant", "temperature.start=0.05"), published=-0.0856
        ),
        "no symmetry": Change(("mixing.symmetric=false",), published=-0.0573),
        "one shared W_B": Change(("mixing.shared_local=true",), published=-0.0436),
        "Post-Norm": Change(("norm=post",), published=-0.0273),
        "Pre-Norm": Change(("norm=pre",)),
        "no Sinkhorn": Change(("mixing.sinkhorn=false",)),
        "initial logits: normal": Change(("mixing.global_init=normal",)),
        "initial logits: identity": Change(("mixing.global_init=identity",)),
        "two stages": Change(("temperature.kind=two_stage",)),
        "annealed to .3": Change(("temperature.end=0.3",)),
    },
    "unimixer_lite": {
        BASE: Change(),
        "no temperature (tau = 1)": Change(("temperature.kind=constant",)),
        "initial logits: normal": Change(("mixing.global_init=normal",)),
        "annealed to .3": Change(("temperature.end=0.3",)),
        "no warm-up (tau = .05)": Change(("temperature.kind=constant", "temperature.start=0.05")),
        "positive factors, r = 16": Change(("mixing.rank=16",), family="unimixer_lite_factored"),
        "r = 2, initial logits: normal": Change(("mixing.rank=2", "mixing.global_init=normal")),
        "r = 64": Change(("mixing.rank=64",)),
        "positive factors, r = 64": Change(("mixing.rank=64",), family="unimixer_lite_factored"),
        "b = 4": Change(("mixing.basis=4",)),
        "b = 8": Change(("mixing.basis=8",)),
        "1 block": Change(("blocks=1",)),
        "4 blocks": Change(("blocks=4",)),
    },
}
"""In the order of running."""


def main() -> None:
    """Do what is not there yet, as far as the time goes; summarise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=list(TASKS), default="marketplace")
    parser.add_argument("--family", choices=list(CHANGES), help="one of them; default: both")
    parser.add_argument("--seeds", type=int, default=3, help="of each variation")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no run after so long")
    args = parser.parse_args()
    until = time.monotonic() + 60 * args.minutes
    torch.set_num_threads(1)
    chosen = [study(args.task, args.family, args.seeds)] if args.family else both(args.task, args.seeds)
    for seeds in range(1, args.seeds + 1):
        for one in chosen:
            one.go_on(one.models, until, seeds)
            rows = [row for each in both(args.task, args.seeds) for row in summarised(each)]
            write_csv(SUMMARY, rows)


def both(task: str, seeds: int) -> list[Study]:
    """The studies of the families whose setting is chosen."""
    tuned = families.study(TASKS[task])
    return [study(task, family, seeds) for family in CHANGES if tuned.chosen(family) is not None]


def study(task: str, family: str, seeds: int) -> Study:
    """The variations of one family, at its chosen setting.

    Raises:
        SystemExit: the study of families has not chosen one yet.
    """
    tuned = families.study(TASKS[task]).chosen(family)
    if tuned is None:
        raise SystemExit(
            f"no setting of {family} is chosen yet: run benchmarks/families.py --task {task} first"
        )
    models = {
        f"{family}, {name}": Sizes(f"{change.family or family}_s", change.settings)
        for name, change in CHANGES[family].items()
    }
    return Study(
        task=replace(TASKS[task], models=models),
        models=list(models),
        space={},
        trials=0,
        seeds=lambda _: seeds,
        runs=RUNS,
        work=WORK / "ablations",
        command=COMMAND.format(task, seeds),
        given=json.loads(tuned),
    )


def summarised(one: Study) -> Iterator[dict[str, Any]]:
    """The rows of one family's variations."""
    for row in summary(one, families.metrics(one.task.name), one.models[:1], same_seeds=True):
        family, _, name = row["model"].partition(", ")
        made = {key.replace(f"over_{one.models[0]}", "over_base"): value for key, value in row.items()}
        made |= {"model": family, "change": name, "published_auc_pp": CHANGES[family][name].published}
        yield made | {"simulated": one.task.name == "marketplace"}


if __name__ == "__main__":
    main()
