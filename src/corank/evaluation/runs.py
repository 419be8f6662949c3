"""What a run folder says of itself: its model, seed, settings and samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corank.errors import CorankError
from corank.files import read_json


@dataclass(frozen=True)
class RunFacts:
    """The parts of `run.json` and `config.json` by which runs are told apart."""

    folder: Path
    model: str
    seed: int | None
    fingerprint: str
    """Of the samples; empty where the run does not say."""
    run: dict[str, Any]
    """All of run.json."""
    config: dict[str, Any]
    """All of config.json; empty where there is none."""

    def same_model(self, other: RunFacts) -> bool:
        """Whether the two are the same model, settings and samples, whatever their seeds."""

        def but_seed(facts: RunFacts) -> dict[str, Any]:
            return {key: value for key, value in facts.config.items() if key != "seed"}

        return (self.model, self.fingerprint) == (other.model, other.fingerprint) and but_seed(
            self
        ) == but_seed(other)


def read_facts(folder: Path) -> RunFacts:
    """Read a run folder.

    Raises:
        CorankError: there is no run.json, or a file is not a JSON object.
    """
    if not (folder / "run.json").is_file():
        raise CorankError(f"{folder}: not a run folder, it has no run.json")
    run = _object(folder / "run.json")
    config = _object(folder / "config.json") if (folder / "config.json").is_file() else {}
    samples, seed = run.get("samples"), run.get("seed")
    return RunFacts(
        folder=folder,
        model=str(run.get("model", folder.name)),
        seed=seed if isinstance(seed, int) else None,
        fingerprint=str(samples.get("fingerprint", "")) if isinstance(samples, dict) else "",
        run=run,
        config=config,
    )


def one_model(group: Sequence[Path]) -> str:
    """The model that all runs of a group are seeds of.

    Raises:
        CorankError: the runs differ in model, settings or samples, or two have the same seed.
    """
    facts = [read_facts(folder) for folder in group]
    for other in facts[1:]:
        if not facts[0].same_model(other):
            raise CorankError(
                f"{other.folder} and {facts[0].folder}: a group must hold seeds of one model, "
                "and these differ in more than the seed"
            )
    seeds = [one.seed for one in facts if one.seed is not None]
    if len(seeds) != len(set(seeds)):
        raise CorankError(f"{group[0]}: two runs of its group have the same seed")
    return facts[0].model


def group_by_seed(folders: Sequence[Path]) -> list[list[Path]]:
    """Runs that differ only in their seed, put together; groups and runs keep their order."""
    groups: list[list[RunFacts]] = []
    for folder in folders:
        facts = read_facts(folder)
        for group in groups:
            if group[0].same_model(facts) and facts.seed not in {one.seed for one in group}:
                group.append(facts)
                break
        else:
            groups.append([facts])
    return [[one.folder for one in group] for group in groups]


def _object(path: Path) -> dict[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise CorankError(f"{path}: expected an object, found {type(value).__name__}")
    return value
