"""The runs below a folder, put together by model, with what the report needs of their files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from corank.errors import CorankError
from corank.evaluation.evaluate import evaluation_path
from corank.evaluation.predictions import Predictions, read_predictions
from corank.evaluation.runs import RunFacts, group_by_seed, read_facts
from corank.files import read_json
from corank.samples import read_manifest

SPLIT = "test"


@dataclass(frozen=True)
class Model:
    """One model: its runs differ only in their seeds."""

    number: int
    """Its place among the models of the report, by which it has one colour in all figures."""
    label: str
    runs: tuple[RunFacts, ...]

    @property
    def evaluated(self) -> bool:
        """Whether every run has predictions of the test split."""
        return all(predictions_path(run.folder).is_file() for run in self.runs)

    @cached_property
    def predictions(self) -> Predictions:
        """Of the first run."""
        return read_predictions(predictions_path(self.runs[0].folder))

    @cached_property
    def evaluation(self) -> dict[str, Any]:
        """What `evaluate` wrote of the first run; empty if it has not."""
        path = evaluation_path(self.runs[0].folder, SPLIT)
        values = read_json(path) if path.is_file() else {}
        if not isinstance(values, dict):
            raise CorankError(f"{path}: expected an object, found {type(values).__name__}")
        return values


def find_models(folder: Path) -> list[Model]:
    """The models of a run folder, or of a folder of runs (in the order of their names).

    Raises:
        CorankError: there is no folder, or no run in it.
    """
    if not folder.is_dir():
        raise CorankError(f"{folder}: no such folder; expected a run, or a folder that holds runs")
    if (folder / "run.json").is_file():
        folders = [folder]
    else:
        folders = sorted(path for path in folder.iterdir() if (path / "run.json").is_file())
    if not folders:
        raise CorankError(f"{folder}: holds no run.json, and no folder in it does; expected one or more runs")
    groups = [tuple(read_facts(path) for path in group) for group in group_by_seed(folders)]
    names = Counter(group[0].model for group in groups)
    return [
        Model(
            place,
            group[0].model if names[group[0].model] == 1 else f"{group[0].model} ({group[0].folder.name})",
            group,
        )
        for place, group in enumerate(groups)
    ]


def find_samples(folder: Path, models: Sequence[Model]) -> list[Path]:
    """Folders of the samples that the runs were made from: in the folder, beside it, or where the runs say.

    A folder counts only if its fingerprint is that of a run.
    """
    runs = [run for model in models for run in model.runs]
    named = [mapping(run.run.get("samples")).get("path") for run in runs]
    here = folder.resolve()
    places = [*sorted(here.iterdir()), *sorted(here.parent.iterdir())]
    places += [Path(path) for path in named if isinstance(path, str)]
    wanted = dict.fromkeys(run.fingerprint for run in runs if run.fingerprint)
    found: dict[str, Path] = {}
    for place in places:
        try:
            fingerprint = read_manifest(place).fingerprint
        except (CorankError, OSError):  # not samples; what lies about here is not ours to judge
            continue
        if fingerprint in wanted:
            found.setdefault(fingerprint, place)
    return [found[fingerprint] for fingerprint in wanted if fingerprint in found]


def predictions_path(run: Path) -> Path:
    """Where a run keeps its predictions of the test split."""
    return run / "predictions" / f"{SPLIT}.parquet"


def read_steps(run: Path) -> list[dict[str, Any]]:
    """The log of steps; a last line cut short by a kill is left out.

    Raises:
        CorankError: another line is not a JSON object.
    """
    path = run / "steps.jsonl"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    steps = []
    for number, line in enumerate(lines, start=1):
        try:
            step = json.loads(line)
        except json.JSONDecodeError:
            step = None
        if isinstance(step, dict):
            steps.append(step)
        elif number < len(lines):
            raise CorankError(f"{path}: line {number} is not a JSON object")
    return steps


def mapping(value: Any) -> dict[str, Any]:
    """A value from outside as a mapping; empty if it is none."""
    return value if isinstance(value, dict) else {}


def number(value: Any) -> float | None:
    """A value from outside as a finite number, if it is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < float("inf") else None
