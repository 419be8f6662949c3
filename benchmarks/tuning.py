"""A study that tunes every model alike and resumes from its own rows.

A `Task` trains one model with some settings and a seed. A `Study` gives every model the same number of
trials, drawn alike, takes the best of them on validation, and trains it with fresh seeds. Every run that has
finished is a row of one CSV, and these rows are all that resuming needs: what runs next is a function of
them, here or on another machine. Intervals over requests and seeds also need what each run adds to a metric
by request, which lies in a work folder; where that is gone they are taken over the seeds alone, and the
summary says so.
"""

from __future__ import annotations

import csv
import json
import math
import platform
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import optuna
from scipy.stats import qmc

from corank.files import whole_file, write_csv
from corank.training.run import versions

Sums = npt.NDArray[np.float64]
FINAL, TRIAL = "final", "trial"
TRIAL_SEED = 0
"""Of every trial; the final seeds begin after it, so that no chosen run is counted again."""
SPREAD = 8
"""So many first trials are points of one Sobol sequence, the same for every model; later ones are TPE's."""

Space = Mapping[str, tuple[float, float]]
"""Name of a setting, and the ends of the range from which its logarithm is drawn."""


@dataclass(frozen=True)
class Outcome:
    """What training one model came to.

    Attributes:
        valid: the metric by which trials are chosen.
        test: metrics of the test split.
        sums: by metric, [requests, 2]: what each request adds to its numerator and denominator; empty where
            no metric is of requests.
        facts: what else a row says (parameters, operations, seconds...).
    """

    valid: float
    test: Mapping[str, float]
    sums: Mapping[str, Sums]
    facts: Mapping[str, float]


class Task(Protocol):
    """A data set and how models are trained on it."""

    @property
    def name(self) -> str:
        """As in the rows."""

    def setup(self, model: str) -> str:
        """What is the same in all runs of a model: its size, the samples. Other rows do not count."""

    def train(self, model: str, settings: Mapping[str, float], seed: int) -> Outcome:
        """Train and measure."""


@dataclass(frozen=True)
class Job:
    """A run to be done."""

    model: str
    kind: str
    number: int
    seed: int
    drawn: Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """A row: one trained model. `test` and `facts` are columns of their own in the CSV."""

    task: str
    model: str
    setup: str
    settings: str
    kind: str
    number: int
    seed: int
    valid: float
    test: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    command: str = ""
    machine: str = ""
    versions: str = ""

    def row(self) -> dict[str, Any]:
        """As a row of the CSV."""
        made = dict(vars(self))
        made["test"], made["facts"] = None, None
        made |= {f"test_{name}": round(value, 6) for name, value in self.test.items()}
        made |= {f"fact_{name}": round(value, 3) for name, value in self.facts.items()}
        return {name: value for name, value in made.items() if name not in ("test", "facts")}

    @classmethod
    def of(cls, row: Mapping[str, str]) -> Run:
        """From the text of a row."""
        parts: dict[str, dict[str, float]] = {"test_": {}, "fact_": {}}
        for name, text in row.items():
            if name[:5] in parts and text:
                parts[name[:5]][name[5:]] = float(text)
        texts = ("task", "model", "setup", "settings", "kind", "command", "machine", "versions")
        return cls(
            **{name: row[name] for name in texts},
            number=int(row["number"]),
            seed=int(row["seed"]),
            valid=float(row["valid"]),
            test=parts["test_"],
            facts=parts["fact_"],
        )


@dataclass(frozen=True)
class Study:
    """Models tuned alike on one task.

    Attributes:
        task: trains them.
        models: in the order of running.
        space: what a trial draws; empty for a study of one given setting.
        trials: of each model.
        seeds: of a model, after its trials.
        runs: the CSV, which several studies may share.
        work: folder of what intervals need besides.
        command: for the rows.
        given: the setting, where nothing is tuned.
    """

    task: Task
    models: Sequence[str]
    space: Space
    trials: int
    seeds: Callable[[str], int]
    runs: Path
    work: Path
    command: str
    given: Mapping[str, float] = field(default_factory=dict)

    def mine(self, model: str) -> list[Run]:
        """The rows of a model as it is set up now."""
        setup = self.task.setup(model)
        rows = read_runs(self.runs)
        return [one for one in rows if (one.task, one.model, one.setup) == (self.task.name, model, setup)]

    def tried(self, model: str) -> list[Run]:
        """The trials that count, in their order."""
        rows = [one for one in self.mine(model) if one.kind == TRIAL and one.number < self.trials]
        return sorted(rows, key=lambda one: one.number)

    def chosen(self, model: str) -> str | None:
        """The settings that fresh seeds are trained with: the best trial's, once all trials are done."""
        if not self.space:
            return json.dumps(dict(self.given))
        tried = self.tried(model)
        return max(tried, key=lambda one: one.valid).settings if len(tried) == self.trials else None

    def finals(self, model: str) -> list[Run]:
        """The runs that count, by seed."""
        settings = self.chosen(model)
        rows = [one for one in self.mine(model) if one.kind == FINAL and one.settings == settings]
        return sorted(rows, key=lambda one: one.seed)

    def complete(self, model: str) -> bool:
        """Whether nothing is left to do."""
        return self.chosen(model) is not None and len(self.finals(model)) >= self.seeds(model)

    def following(self, model: str, seeds: int | None = None) -> Job | None:
        """The next run of a model: its trials in order, then the seeds (at most so many) of the best."""
        settings = self.chosen(model)
        if settings is None:
            tried = self.tried(model)
            return Job(model, TRIAL, len(tried), TRIAL_SEED, draw(self.space, tried))
        done = {one.seed for one in self.finals(model)}
        for seed in range(TRIAL_SEED + 1, TRIAL_SEED + 1 + (seeds or self.seeds(model))):
            if seed not in done:
                return Job(model, FINAL, 0, seed, json.loads(settings))
        return None

    def go_on(self, models: Iterable[str], until: float = math.inf, seeds: int | None = None) -> bool:
        """Do what is not there yet, model by model, beginning nothing after `until` (monotonic seconds).

        Returns:
            Whether all was done.
        """
        for model in models:
            while job := self.following(model, seeds):
                if time.monotonic() > until:
                    return False
                self.do(job)
        return True

    def do(self, job: Job) -> None:
        """One run and its row."""
        found = self.task.train(job.model, job.drawn, job.seed)
        one = Run(
            task=self.task.name,
            model=job.model,
            setup=self.task.setup(job.model),
            settings=json.dumps(dict(job.drawn)),
            kind=job.kind,
            number=job.number,
            seed=job.seed,
            valid=round(found.valid, 6),
            test=found.test,
            facts=found.facts,
            command=self.command,
            machine=f"1 thread, {platform.machine()}",
            versions=" ".join(f"{name} {versions()[name]}" for name in ("corank", "python", "torch")),
        )
        self.keep(one, found.sums)
        write_csv(self.runs, [row.row() for row in (*read_runs(self.runs), one)])
        shown = " ".join(f"{name} {value:.4f}" for name, value in found.test.items())
        print(
            f"{one.task} {one.model} {one.kind} {one.number} seed {one.seed}: valid {one.valid:.4f} {shown} "
            f"{one.settings}",
            flush=True,
        )

    def keep(self, one: Run, sums: Mapping[str, Sums]) -> None:
        """Write what a run adds to each metric by request, float32."""
        if not sums:
            return
        path = self.values_of(one)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as aside, aside.open("wb") as stream:
            arrays = {name: part.astype(np.float32) for name, part in sums.items()}
            np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]  # taken for its own option

    def values_of(self, one: Run) -> Path:
        """Where a run's values by request lie."""
        what = f"{one.task}/{one.model}/{one.setup}/{one.settings}/{one.kind}/{one.seed}"
        return self.work / "values" / f"{zlib.crc32(what.encode()):08x}.npz"

    def values(self, runs: Sequence[Run], metric: str) -> list[Sums] | None:
        """By request, of each run; None if one is not there, or the metric is not of requests."""
        paths = [self.values_of(one) for one in runs]
        if not runs or not all(path.is_file() for path in paths):
            return None
        loaded = []
        for path in paths:
            with np.load(path, allow_pickle=False) as file:
                if metric not in file:
                    return None
                loaded.append(file[metric].astype(np.float64))
        return loaded


def draw(space: Space, tried: Sequence[Run]) -> dict[str, float]:
    """The next trial's settings: a function of the trials before alone, so that any may resume."""
    number = len(tried)
    if number < SPREAD:
        points = qmc.Sobol(len(space), rng=0).random(SPREAD)
        found = {
            name: low * (high / low) ** float(at)
            for (name, (low, high)), at in zip(space.items(), points[number], strict=True)
        }
    else:
        ranges: dict[str, optuna.distributions.BaseDistribution] = {
            name: optuna.distributions.FloatDistribution(low, high, log=True)
            for name, (low, high) in space.items()
        }
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=number))
        for one in tried:
            params = json.loads(one.settings)
            made = optuna.trial.create_trial(params=params, distributions=ranges, value=one.valid)
            study.add_trial(made)
        found = study.ask(ranges).params
    return {name: float(f"{value:.4g}") for name, value in found.items()}


def read_runs(path: Path) -> list[Run]:
    """The rows that are there."""
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return [Run.of(row) for row in csv.DictReader(stream)]
