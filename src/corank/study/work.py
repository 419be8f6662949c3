"""One run of a study, from samples to a row, in a process of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import torch

from corank import verbs
from corank.errors import Diverged
from corank.evaluation.predictions import read_predictions
from corank.models.registry import create_model
from corank.study.conditions import Condition
from corank.study.draws import measure, write_draws
from corank.study.material import Material
from corank.study.rows import Kind, Row, run_name
from corank.training.run import Run, RunInfo, versions

TRIAL_SEED = 0
"""Of every trial; the seeds that count begin after it, so that no chosen run is counted again."""
EVALUATIONS = 4
"""Of the validation split in a run, about."""


@dataclass(frozen=True)
class Job:
    """A run to be done."""

    condition: Condition
    kind: Kind
    rate: float
    seed: int

    @property
    def identity(self) -> tuple[str, str, float, int]:
        """As its row's."""
        return self.condition.key, self.kind, self.rate, self.seed

    @property
    def name(self) -> str:
        """Of its folder."""
        return run_name(self.condition.key, self.rate, self.seed)


def carry_out(job: Job, material: Material) -> Row:
    """Train, and for one of the seeds that count measure on the test split; what is left is the run's folder.

    Of a trial the test split is not looked at. Killed at any moment, it goes on from its last checkpoint when
    it is carried out again.

    Raises:
        CorankError: a run that counts has diverged, or anything else cannot be done.
    """
    folder = material.run(job.name)
    try:
        info = train(job, material)
        valid, best_step, steps, seconds = info.best_metric, info.best_step, info.steps, info.seconds
    except Diverged:
        if job.kind == "final":
            raise
        valid, best_step, steps, seconds = None, 0, 0, 0.0
    samples = material.samples(job.condition.recipe)
    test = {}
    if job.kind == "final":
        scored = verbs.predict(folder, samples, folder / "predictions" / "test.parquet", overwrite=True)
        draws = measure(read_predictions(scored), material.config.resamples)
        shutil.rmtree(folder / "predictions")
        write_draws(material.draws(job.name), draws)
        test = {name: one.value for name, one in draws.items()}
    return Row(
        condition=job.condition.key,
        kind=job.kind,
        rate=job.rate,
        seed=job.seed,
        valid=None if valid is None else round(valid.value, 6),
        best_step=best_step or 0,
        steps=steps or 0,
        **_counts(job, material),
        seconds=round(seconds or 0.0, 1),
        samples=material.manifest(job.condition.recipe).fingerprint,
        versions=" ".join(f"{name} {versions()[name]}" for name in ("corank", "python", "torch")),
        test=test,
    )


def train(job: Job, material: Material) -> RunInfo:
    """Train a run in its folder, from its last checkpoint on.

    Raises:
        Diverged: it did.
        CorankError: it cannot be done.
    """
    torch.set_num_threads(1)
    condition, config = job.condition, material.config
    epochs = material.epochs(condition.recipe, condition.budget)
    settings = [
        f"epochs={epochs!r}",
        f"evaluations_per_epoch={max(1, round(EVALUATIONS / epochs))}",
        "patience=1000000",
        "snapshots.moments=0",
        f"reader.batch_samples={config.batch_samples}",
        f"optimizer.lr={job.rate!r}",
        f"optimizer.embedding_lr={config.embedding_lr!r}",
        *(f"model.{one}" for one in condition.settings),
    ]
    samples, folder = material.samples(condition.recipe), material.run(job.name)
    return verbs.train(
        samples, folder, condition.registered, job.seed, settings, material.features, resume=True
    )


def _counts(job: Job, material: Material) -> dict[str, int]:
    """Parameters, and operations of scoring a test sample with its share of the request."""
    condition = job.condition
    with torch.device("meta"):
        features = Run(material.run(job.name)).features()
        made = create_model(condition.registered, features.schema, condition.settings)
    parameters, flops = made.parameter_counts(), made.flop_counts()["total"]
    test = material.manifest(condition.recipe).sizes["test"]
    return {
        "parameters": parameters["total"],
        "dense_parameters": parameters["total"] - parameters["embedding"],
        "flops_a_sample": round(flops.sample + flops.request * test.requests / test.total.samples),
    }
