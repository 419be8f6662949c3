"""The log and the samples of a study, simulated once and kept in its folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from corank import verbs
from corank.errors import CorankError
from corank.features.store import Store
from corank.files import read_json, whole_folder, write_json
from corank.progress import Reporter
from corank.samples.config import Recipe
from corank.samples.manifest import Manifest, read_manifest
from corank.study.config import StudyConfig


@dataclass(frozen=True)
class Material:
    """Where things lie in a study's folder."""

    folder: Path
    config: StudyConfig

    @property
    def logs(self) -> Path:
        """The simulated log."""
        return self.folder / "logs"

    @property
    def rows(self) -> Path:
        """A row a run."""
        return self.folder / "runs.csv"

    @property
    def features(self) -> Path:
        """The feature spec of all runs."""
        return self.folder / "features.yaml"

    def samples(self, recipe: Recipe) -> Path:
        """The store of a recipe."""
        return self.folder / "samples" / recipe

    def manifest(self, recipe: Recipe) -> Manifest:
        """What that store holds."""
        return read_manifest(self.samples(recipe))

    def run(self, name: str) -> Path:
        """The folder of a run."""
        return self.folder / "runs" / name

    def draws(self, name: str) -> Path:
        """The test metrics of a run with their resamples."""
        return self.folder / "draws" / f"{name}.parquet"

    def epochs(self, recipe: Recipe, budget: str) -> float:
        """Over how many epochs a recipe is trained: under `steps` for as many samples as es3."""
        if budget == "epochs":
            return self.config.epochs
        of = {name: self.manifest(name).sizes["train"].total.samples for name in (recipe, LAST)}
        return self.config.epochs * of[LAST] / of[recipe]


LAST: Recipe = "es3"


def prepare(folder: Path, config: StudyConfig, recipes: Sequence[Recipe], progress: Reporter) -> Material:
    """Simulate the log and build the samples that are missing in a study's folder.

    Raises:
        CorankError: the recipes' test splits are not the same rows: differences could not be paired.
    """
    material = Material(folder, config)
    if not material.logs.exists():
        verbs.simulate(material.logs, seed=config.log_seed, settings=config.log, progress=progress)
    for recipe in recipes:
        if not material.samples(recipe).exists():
            verbs.samples(
                material.logs,
                material.samples(recipe),
                recipe,
                settings=config.built,
                progress=progress,
            )
    _refuse_other_tests(material, recipes)
    if not material.features.exists():  # inferred once: another version of corank may infer another
        verbs.features(material.samples(LAST), material.features)
    return material


def _refuse_other_tests(material: Material, recipes: Sequence[Recipe]) -> None:
    """Stop if recipes do not have the same test, row by row."""
    first, *others = recipes
    known = _test_rows(material.samples(first))
    for recipe in others:
        if not _test_rows(material.samples(recipe)).equals(known):
            raise CorankError(
                f"{material.samples(recipe)}: its test split has other rows or labels than that of {first}"
            )


def _test_rows(folder: Path) -> pa.Table:
    """Which rows the test split has, and their labels, in the order of the store."""
    columns = ["request_id", "item_id", "exposed"]
    columns += [f"{of}_{name}" for of in ("label", "anywhere") for name in ("click", "purchase")]
    return pa.concat_tables([group.read(columns) for group in Store(folder).row_groups("test")])


def claim_folder(folder: Path, name: str, config: StudyConfig) -> None:
    """Leave what makes runs comparable in a new folder, or stop where there is anything else.

    Raises:
        CorankError: the folder holds something else, or a study with another log or training.
    """
    shared = {"study": name, **config.shared()}
    path = folder / "study.json"
    if not path.exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CorankError(f"{folder}: holds something else than a study; name another folder")
        with whole_folder(folder) as aside:
            write_json(aside / "study.json", shared)
        return
    known = read_json(path)
    if not isinstance(known, dict):
        raise CorankError(f"{path}: not written by corank, or damaged")
    wanted = json.loads(json.dumps(shared))
    for key in wanted.keys() | known.keys():
        if wanted.get(key) != known.get(key):
            raise CorankError(
                f"{folder}: holds a study with {key} = {known.get(key)!r}, now {wanted.get(key)!r}; its runs"
                " could not be compared: name another folder"
            )
