"""The two tasks of the study of families: their samples, their training, and every family's size on them."""

from __future__ import annotations

from pathlib import Path

from corank import verbs
from store_task import Sizes, StoreTask

ROOT = Path(__file__).parent.parent
WORK = ROOT / "work" / "families"
DATA = ROOT.parent / "shared" / "data" / "trivago" / "trivago_val_100k.parquet"
LISTWISE = ("loss.listwise=1", "loss.pointwise=0.2", "reader.batch_samples=1024")
SEARCHES = 60_000
TEST = 0.4
"""Share of the marketplace's searches, by time: lists to measure by cost less than lists to train on."""


def marketplace(folder: Path) -> None:
    """Simulate a log and build its exposed samples."""
    verbs.simulate(folder / "logs", size="s", seed=0, settings=[f"requests={SEARCHES}"])
    verbs.samples(folder / "logs", folder / "samples", "exposed", settings=[f"test={TEST}"])


def trivago(folder: Path) -> None:
    """Import the log and build its exposed samples."""
    verbs.import_logs("trivago", DATA, folder / "logs")
    verbs.check(folder / "logs").raise_if_broken()
    verbs.samples(folder / "logs", folder / "samples", "exposed")


def sized(per_task: dict[str, tuple[str, ...]]) -> dict[str, Sizes]:
    """Every family's size; what depends on the width of the inputs is given by task."""
    same: dict[str, tuple[str, ...]] = {
        "rankmixer": (),
        "unimixer_lite": ("expansion=1.27",),
        "dlrm_mlp": (),
        "unimixer": ("expansion=1.13",),
        "unimixer_lite_factored": ("expansion=1.29",),
        "dcnv2": (),
        "deepfm": (),
        "unimixer_lite-flops": ("expansion=0.66",),
        "unimixer-flops": ("expansion=0.66",),
        "unimixer_lite_factored-flops": ("expansion=1.16",),
        "wukong": ("hidden=[216]",),
        "hetero_attention": ("width=56", "expansion=0.6"),
        "hiformer": ("width=56", "expansion=0.6", "rank=28"),
        "fat": ("tokenizer.kind=slices", "width=64", "expansion=1"),
        "tokenmixer_large": ("blocks=2", "expansion=0.57"),
        "rankmixer_sparse": ("expansion=0.5",),
        "transformer": ("width=48",),
        "autoint": ("tokenizer.kind=slices", "blocks=2"),
        "fm": (),
    }
    return {
        model: Sizes(f"{model.removesuffix('-flops')}_s", (*settings, *per_task.get(model, ())))
        for model, settings in same.items()
    }


FLOPS_ALONE = {
    "unimixer_lite-flops",
    "unimixer-flops",
    "unimixer_lite_factored-flops",
    "transformer",
    "autoint",
}
"""With about RankMixer's operations; all others but FM, which has no size, have about its parameters."""

OF_DOMAINS = {"hhsft", "unimixer_lite_esuif"}
"""Families that tell domains apart, and wait for a study that has several: both tasks have one."""

TASKS = {
    "marketplace": StoreTask(
        "marketplace",
        marketplace,
        WORK / "marketplace",
        ROOT / "benchmarks" / "marketplace.yaml",
        ("metric=gauc", *LISTWISE, "epochs=1"),
        sized(
            {
                "dlrm_mlp": ("hidden=[344,172]",),
                "dcnv2": ("cross_rank=64", "hidden=[152,76]"),
                "deepfm": ("hidden=[364,182]",),
            }
        ),
    ),
    "trivago": StoreTask(
        "trivago",
        trivago,
        WORK / "trivago",
        ROOT / "benchmarks" / "trivago.yaml",
        ("metric=mrr", *LISTWISE, "epochs=3", "patience=3"),
        sized(
            {
                "dlrm_mlp": ("hidden=[400,200]",),
                "dcnv2": ("cross_rank=64", "hidden=[236,118]"),
                "deepfm": ("hidden=[416,208]",),
            }
        ),
    ),
}
METRIC = {"marketplace": "gauc", "trivago": "mrr"}
"""By which trials are chosen on validation and models compared on test."""
