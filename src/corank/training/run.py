"""A run folder: what was trained on what, movable, without pickle."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import torch
from safetensors.torch import save_file

import corank
from corank.config import Config
from corank.errors import CorankError
from corank.features.features import Features
from corank.files import read_json, whole_file, write_json
from corank.models.base import ModelConfig, RankingModel
from corank.models.registry import parse_model_config
from corank.samples import read_manifest
from corank.training.checkpoint import load_weights
from corank.training.config import TrainConfig


class SamplesRef(Config):
    """The samples a run was trained on."""

    path: str
    """From the root: the run is read from other folders, too."""
    fingerprint: str
    recipe: str


class Metric(Config):
    """A named value."""

    name: str
    value: float


class RunInfo(Config):
    """The facts of a run, as in run.json; the last four once it has finished."""

    model: str
    seed: int
    samples: SamplesRef
    parameters: dict[str, int]
    versions: dict[str, str]
    device: str
    seconds: float | None = None
    steps: int | None = None
    best_step: int | None = None
    best_metric: Metric | None = None


@dataclass(frozen=True)
class Run:
    """Paths and contents of a run folder.

    Raises:
        CorankError: on reading, when the folder is not a run or is damaged.
    """

    folder: Path

    @property
    def steps_file(self) -> Path:
        """The log of steps, JSON lines."""
        return self.folder / "steps.jsonl"

    @property
    def weights(self) -> Path:
        """The best weights."""
        return self.folder / "model.safetensors"

    @property
    def objective_weights(self) -> Path:
        """What the loss learned beside the best weights (biases of positions); absent for most."""
        return self.folder / "objective.safetensors"

    @property
    def checkpoints(self) -> Path:
        """The folder of the last state."""
        return self.folder / "checkpoint"

    @property
    def snapshots(self) -> Path:
        """The folder of the mixing matrices over training; not there for models that learn none."""
        return self.folder / "mixing"

    @property
    def exists(self) -> bool:
        """Has a run begun here?"""
        return (self.folder / "run.json").is_file()

    def info(self) -> RunInfo:
        """The facts of the run."""
        if not self.exists:
            raise CorankError(f"{self.folder}: not a run; expected a folder made by `corank train`")
        return RunInfo.read(self.folder / "run.json")

    def samples(self) -> Path:
        """The samples that it was trained on.

        Raises:
            CorankError: they are gone, or others are there now.
        """
        recorded = self.info().samples
        place = Path(recorded.path)
        if not place.is_dir():
            raise CorankError(f"{place}: no such samples folder, on which {self.folder} was trained")
        if read_manifest(place).fingerprint != recorded.fingerprint:
            raise CorankError(
                f"{place}: not the samples that {self.folder} was trained on (their fingerprint has changed);"
                " `corank evaluate` and `explain` take others"
            )
        return place

    def write_info(self, info: RunInfo) -> None:
        """Write run.json."""
        write_json(self.folder / "run.json", info.model_dump(mode="json", exclude_none=True))

    def write_config(self, model: ModelConfig, train: TrainConfig) -> None:
        """Write config.json, fully resolved."""
        write_json(
            self.folder / "config.json",
            {"model": model.model_dump(mode="json"), "train": train.model_dump(mode="json")},
        )

    def config(self) -> tuple[ModelConfig, TrainConfig]:
        """The resolved configurations of model and training."""
        name = self.info().model
        values = read_json(self.folder / "config.json")
        if not isinstance(values, dict) or not {"model", "train"} <= values.keys():
            raise CorankError(f"{self.folder / 'config.json'}: not written by corank, or damaged")
        return (
            parse_model_config(name, values["model"], str(self.folder / "config.json")),
            TrainConfig.parse(values["train"], str(self.folder / "config.json")),
        )

    def features(self) -> Features:
        """The fitted features."""
        return Features.load(self.folder / "features")

    def model(self) -> RankingModel:
        """The model with its best weights, ready to score."""
        model = self.config()[0].build(self.features().schema)
        load_weights(self.weights, model)
        return model.eval()

    def log(self, line: dict[str, Any]) -> None:
        """Add a line to the log of steps."""
        with self.steps_file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def cut_log(self, step: int) -> None:
        """Drop what was logged after a step, as when a killed run resumes from it."""
        if not self.steps_file.exists():
            return
        kept = []
        for line in self.steps_file.read_text(encoding="utf-8").splitlines():
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(line + "\n")
            except (json.JSONDecodeError, KeyError):  # the last line of a killed run may be half-written
                break
        with whole_file(self.steps_file) as aside:
            aside.write_text("".join(kept), encoding="utf-8")

    def write_mixing(self, model: RankingModel) -> None:
        """Write the learned global mixing matrices, if the model learns any."""
        matrices = {f"block_{i}": w.cpu().contiguous() for i, w in enumerate(model.mixing())}
        if matrices:
            with whole_file(self.folder / "mixing.safetensors") as aside:
                save_file(matrices, aside)


def versions() -> dict[str, str]:
    """Versions that a result depends on."""
    return {
        "corank": corank.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": numpy.__version__,
        "pyarrow": pyarrow.__version__,
    }
