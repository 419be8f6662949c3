"""The size table of the stages, on marketplaces of several volumes, beside the paper's.

Run: python benchmarks/sizes.py [--size s] [--seeds 3]
Simulates a log for each case and seed, builds samples with the recipe `es3`, and writes the training split's
requests, samples, clicks and purchases after each stage, relative to exposed samples alone: the mean and the
standard deviation over seeds. Beside the default marketplace stand cases in which one thing differs, to show
which mechanism makes which ratio. Writes results/sizes.csv. All logs are simulated.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corank.files import whole_file
from corank.logs.marketplace import simulate
from corank.samples import Manifest, build_samples

RESULTS = Path(__file__).parent.parent / "results" / "sizes.csv"
COUNTS = ("requests", "samples", "clicks", "purchases")
PAPER = {
    "exposed": (1.0, 1.0, 1.0),
    "unexposed": (1.0, 3.0, 1.0),
    "attributed": (1.0, 3.0, 2.0),
    "es3": (2.0, 5.0, 4.0),
}
"""UniScale (arXiv 2603.24226): requests, samples, click positives, cumulative."""


@dataclass(frozen=True)
class Case:
    """One thing that differs from the default marketplace or the default recipe."""

    preset: str = "market"
    log: tuple[str, ...] = ()
    recipe: tuple[str, ...] = ()


CASES = {
    "market": Case(),
    "boutique": Case("boutique"),
    "market, a window of 7 days": Case(recipe=("attribution_hours=168",)),
    "market, carts label too": Case(recipe=("attributed_click_actions=[click, cart]",)),
    "market, 3 times the visits to the feed": Case(log=("needs.browse_per_search=3.3",)),
    "market, 19 negatives a pseudo request": Case(recipe=("pseudo_negatives=19", "similar_above=-1")),
    "market, 4 items shown a list": Case(log=("retrieval.exposed=4",)),
    "market, the last three together": Case(
        log=("needs.browse_per_search=3.3", "retrieval.exposed=4"),
        recipe=("pseudo_negatives=19", "similar_above=-1"),
    ),
}


def build(case: Case, size: str, seed: int) -> Manifest:
    """The manifest of the case's samples."""
    with tempfile.TemporaryDirectory() as folder:
        logs, samples = Path(folder) / "logs", Path(folder) / "samples"
        simulate(logs, size, case.preset, seed, case.log)
        settings = ["exposure_counts=false", *case.recipe]
        return build_samples(logs, samples, recipe="es3", seed=seed, settings=settings)


def lines(name: str, manifests: Sequence[Manifest]) -> list[list[str]]:
    """A line a stage: counts of the first seed, and ratios over all."""
    made = []
    for stage in manifests[0].stages:
        row = [name, stage]
        for count in COUNTS:
            ratios = [
                getattr(one.stages[stage], count) / getattr(one.stages["exposed"], count) for one in manifests
            ]
            spread = statistics.stdev(ratios) if len(ratios) > 1 else 0.0
            row += [
                str(getattr(manifests[0].stages[stage], count)),
                f"{statistics.mean(ratios):.3f}",
                f"{spread:.3f}",
            ]
        made.append([*row, *(f"{value:.1f}" for value in PAPER[stage])])
    return made


def events(manifests: Sequence[Manifest]) -> str:
    """What became of the events of the training period, of the first seed."""
    found = manifests[0].events
    return "; ".join(f"{fate} {count}" for fate, count in found.items() if count)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="s")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    ratios = [f"{count}{what}" for count in COUNTS for what in ("", "_ratio", "_spread")]
    header = ["case", "stage", *ratios, "paper_requests", "paper_samples", "paper_clicks"]
    table = []
    for name, case in CASES.items():
        manifests = [build(case, chosen.size, seed) for seed in range(chosen.seeds)]
        print(f"{name}: {events(manifests)}")
        table += lines(name, manifests)
        for row in table[-len(manifests[0].stages) :]:
            print("  ".join(cell.rjust(9) for cell in row[1:]))
    with whole_file(RESULTS) as aside, aside.open("w", newline="") as file:
        file.write(f"# python benchmarks/sizes.py --size {chosen.size} --seeds {chosen.seeds}; simulated\n")
        csv.writer(file, lineterminator="\n").writerows([header, *table])


if __name__ == "__main__":
    main()
