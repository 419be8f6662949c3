"""The runs of a test: trained on samples of one simulated log, with features that one build can give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corank.errors import CorankError, unknown
from corank.features.features import Features
from corank.features.store import Store
from corank.logs import open_logs
from corank.models.base import RankingModel
from corank.samples.inputs import describe
from corank.samples.manifest import Manifest
from corank.training.config import TrainConfig
from corank.training.run import Run, RunInfo

BEHIND_COLUMNS = ("history_actions", "duplicate_events")
"""Settings of samples that change what columns hold, and not which there are."""


@dataclass(frozen=True)
class Contender:
    """A run, ready to score."""

    folder: Path
    info: RunInfo
    model: RankingModel
    features: Features
    config: TrainConfig
    manifest: Manifest
    """Of the samples that it was trained on."""

    def facts(self) -> dict[str, Any]:
        """What is to be known of it beside the figures."""
        return {
            "path": str(self.folder),
            "model": self.info.model,
            "seed": self.info.seed,
            "recipe": self.manifest.recipe,
            "samples": self.manifest.fingerprint,
        }


def contenders(runs: tuple[Path, Path], truth: Path, task: str) -> tuple[Contender, Contender]:
    """Read both runs.

    Args:
        runs: run folders; may be the same.
        truth: the simulated log.
        task: whose score will order the candidates.

    Raises:
        CorankError: a run or its samples are not there; its training has not finished; it was trained on
            another log, or on one that was not simulated; it ranks no search requests or has no such task;
            the runs' features differ in kind.
    """
    files = describe(open_logs(truth))
    first, second = (_read(run, task) for run in runs)
    for one in (first, second):
        if one.manifest.inputs != files:
            raise CorankError(
                f"{one.folder}: its samples ({one.info.samples.path}) were built from another log than"
                f" {truth}; name the log that the run goes back to"
            )
    _refuse_two_builds(first, second)
    return first, second


def _read(folder: Path, task: str) -> Contender:
    run = Run(folder)
    info = run.info()
    if info.steps is None:
        raise CorankError(f"{folder}: its training has not finished; go on with corank train --resume")
    place = run.samples()
    manifest = Store(place).manifest
    if not manifest.simulated:
        raise CorankError(
            f"{folder}: its samples ({place}) are not of a simulated log; expected a run on one, whose users"
            " can be asked"
        )
    if "search" not in manifest.config.domains:
        raise CorankError(
            f"{folder}: its samples have the domains {', '.join(manifest.config.domains)}; expected search"
            " among them, since searches are re-ranked"
        )
    sizes, config = run.config()
    if task not in sizes.tasks:
        raise unknown("task", task, sizes.tasks, where=str(folder))
    return Contender(folder, info, run.model(), run.features(), config, manifest)


def _refuse_two_builds(first: Contender, second: Contender) -> None:
    """Both arms must see the same features of a request, so one build must serve both."""
    one, other = first.manifest, second.manifest
    differ = [name for name in BEHIND_COLUMNS if getattr(one.config, name) != getattr(other.config, name)]
    columns = [
        name for name in one.columns | other.columns if one.columns.get(name) != other.columns.get(name)
    ]
    if differ or columns:
        what = f"the setting '{differ[0]}'" if differ else f"the column '{columns[0]}'"
        raise CorankError(
            f"{first.folder} and {second.folder} cannot rank the same requests: their samples differ in"
            f" {what}; build both with the same settings of features"
        )
