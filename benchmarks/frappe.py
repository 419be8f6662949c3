"""All families on Frappe_x1 with train negatives redrawn, tuned alike, beside the published leaderboard.

Run: python benchmarks/frappe.py [--data FOLDER] [--models dcnv2,unimixer] [--trials 8] [--minutes 30]

Every model has the same number of trials over the same settings of training, chosen by AUC on the validation
split; the best setting is then trained with fresh seeds: five for the UniMixer family, RankMixer, DCNv2 and
DeepFM, three for the others. Every run that has finished is a row of results/frappe_runs.csv, and these rows
are all that resuming needs: the next call, on this machine or another, goes on after them.
results/frappe.csv is the summary; its intervals are over seeds. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

import ctr
from corank.files import write_csv
from tuning import Outcome, Study
from tuning_summary import summary

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "results" / "frappe_runs.csv"
SUMMARY = ROOT / "results" / "frappe.csv"
DATA = ROOT.parent / "shared" / "data" / "frappe_x1"

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

TRIALS = 8
SPACE = {
    "optimizer.lr": (1e-3, 4e-3),
    "embedding_l2": (1e-2, 2e-1),
    "optimizer.weight_decay": (1e-3, 1.0),
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
class Frappe:
    """The task.

    Attributes:
        data: folder of the three splits.
    """

    data: Path
    name: str = "frappe_x1"

    @cached_property
    def clicks(self) -> ctr.ClickData:
        """The splits, read when first needed."""
        return ctr.read(self.data)

    def setup(self, model: str) -> str:
        """Size and recipe."""
        return " ".join((*sizes(model), *RECIPE))

    def train(self, model: str, settings: Mapping[str, float], seed: int) -> Outcome:
        """Train and measure at the best epoch; AUC is of all rows, no sum over requests."""
        drawn = [f"{name}={value}" for name, value in settings.items()]
        config = ctr.CTRConfig().with_settings([*RECIPE, *drawn])
        found = ctr.train(f"{model}_s", sizes(model), config, self.clicks, seed)
        test = {"auc": found.test_auc, "logloss": found.test_logloss}
        facts = {
            "parameters": found.parameters,
            "flops_a_sample": found.flops,
            "seconds": found.seconds,
            "best_epoch": found.epoch,
        }
        return Outcome(found.valid_auc, test, {}, facts)


def main() -> None:
    """Do what is not there yet, as far as the time goes; summarise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--models", default=",".join(MODELS), help="some of them, in this order")
    parser.add_argument("--trials", type=int, default=TRIALS, help="of each model")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no run after so long")
    args = parser.parse_args()
    torch.set_num_threads(1)
    models = [name.strip() for name in args.models.split(",")]
    unknown = [name for name in models if name not in MODELS]
    if unknown:
        parser.error(f"no such model: {', '.join(unknown)}; there are {', '.join(MODELS)}")
    until = time.monotonic() + 60 * args.minutes
    whole = study(args.data, args.trials)
    whole.go_on(models, until)
    write_csv(SUMMARY, list(summarised(whole)))


def study(data: Path = DATA, trials: int = TRIALS) -> Study:
    """All models."""
    command, work = "python benchmarks/frappe.py", ROOT / "work" / "frappe"
    return Study(Frappe(data), list(MODELS), SPACE, trials, seeds, RUNS, work, command)


def seeds(model: str) -> int:
    """How many a model has."""
    return 5 if model in FIVE_SEEDS else 3


def sizes(model: str) -> tuple[str, ...]:
    """What differs from the registered size `s`."""
    return ("embedding_width=10", *MODELS[model])


def summarised(whole: Study) -> Iterator[dict[str, Any]]:
    """A row a model that has been begun, the published figures beside."""
    for row in summary(whole, ["auc", "logloss"], ["rankmixer"]):
        name, auc, logloss = PUBLISHED.get(row["model"], ("", None, None))
        yield row | {"published_model": name, "published_auc": auc, "published_logloss": logloss}


if __name__ == "__main__":
    main()
