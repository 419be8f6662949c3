"""What the plain DNN needs on Frappe_x1 to reach its published AUC: one thing changed at a time.

Run: python benchmarks/frappe_recipe.py [--data FOLDER] [--seeds 1]

The model and the training of benchmarks/frappe.py, at a rate of .002, an L2 penalty of .05, without weight
decay. The best epoch is chosen by AUC on valid; test is told beside it and nothing here was chosen by it.
Writes results/frappe_recipe.csv, after every run.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import torch

import ctr
import frappe
from corank.files import write_csv
from corank.training.run import versions

OUT = frappe.ROOT / "results" / "frappe_recipe.csv"
BASE = (*frappe.RECIPE, "optimizer.lr=0.002", "embedding_l2=0.05")
CHANGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "the recipe": ((), ()),
    "embeddings not normalised": (("embedding_norm=none",), ()),
    "no L2": ((), ("embedding_l2=0",)),
    "neither": (("embedding_norm=none",), ("embedding_l2=0",)),
    "rate constant": ((), ("optimizer.decay=constant",)),
    "batch of 4,096": ((), ("batch=4096",)),
    "no dropout": (("dropout=0",), ()),
}
"""Settings of the model and of training."""


def main() -> None:
    """Every change with every seed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=frappe.DATA)
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    clicks = ctr.read(args.data)
    rows = []
    for change, settings in CHANGES.items():
        rows.append(measure(change, *settings, clicks, args.seeds))
        write_csv(OUT, rows)
        print(rows[-1], flush=True)


def measure(
    change: str, model: tuple[str, ...], training: tuple[str, ...], clicks: ctr.ClickData, seeds: int
) -> dict[str, Any]:
    """A row: means over the seeds."""
    sizes = (*frappe.sizes("dlrm_mlp"), *model)
    config = ctr.CTRConfig().with_settings([*BASE, *training])
    found = [ctr.train("dlrm_mlp_s", sizes, config, clicks, seed) for seed in range(seeds)]
    return {
        "change": change,
        "settings": " ".join((*model, *training)),
        "seeds": seeds,
        "valid_auc": round(statistics.mean(one.valid_auc for one in found), 5),
        "valid_auc_lowest": round(min(one.valid_auc for one in found), 5),
        "valid_auc_highest": round(max(one.valid_auc for one in found), 5),
        "test_auc": round(statistics.mean(one.test_auc for one in found), 5),
        "best_epoch": statistics.mean(one.epoch for one in found),
        "versions": " ".join(f"{name} {versions()[name]}" for name in ("python", "torch", "numpy")),
    }


if __name__ == "__main__":
    main()
