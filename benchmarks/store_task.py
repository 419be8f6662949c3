"""A task of `tuning`: corank's models trained on a store by the package's own verb."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from corank import verbs
from corank.evaluation.areas import auc, gauc
from corank.evaluation.probabilities import logloss
from corank.evaluation.ranking import rank
from corank.evaluation.statistics import mean_over_requests
from corank.evaluation.toplist import mrr, ndcg
from corank.features.batch import Batch, Labels
from corank.features.features import Features
from corank.features.fit import fit_features
from corank.features.infer import infer_spec
from corank.features.reader import Reader
from corank.features.spec import FeatureSpec
from corank.features.store import Store
from corank.models.base import RankingModel
from corank.models.registry import create_model
from corank.samples import read_manifest
from corank.training.config import TrainConfig
from corank.training.losses import loss
from corank.training.optimizer import make_optimizer
from corank.training.predict import Scores, score
from corank.training.run import Run
from tuning import Outcome

TIMED = 5
"""Steps of which the median counts, after one that does not."""


@dataclass(frozen=True)
class Sizes:
    """A model's name in the package, and what differs from that size."""

    name: str
    settings: tuple[str, ...] = ()


def step(
    model: RankingModel, optimizer: torch.optim.Optimizer, batch: Batch, labels: Labels, config: TrainConfig
) -> None:
    """One step of training, as a run does it."""
    judge = partial(loss, batch=batch, labels=labels, config=config.loss)
    value = judge(model(batch))
    extra: Iterable[torch.Tensor] = model.auxiliary_losses(judge).values()
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(sum(extra, value))
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.optimizer.clip_norm)
    optimizer.step()


@dataclass(frozen=True)
class StoreTask:
    """A store, the features of it, and how all models are trained.

    Attributes:
        name: of the task.
        build: makes the samples in a folder where there are none.
        folder: of samples and of what passes.
        spec: the features; inferred if None.
        training: settings of every run.
        models: sizes, by the name in the rows.
    """

    name: str
    build: Callable[[Path], None]
    folder: Path
    spec: Path | None
    training: tuple[str, ...]
    models: Mapping[str, Sizes]

    @property
    def samples(self) -> Path:
        """The store."""
        return self.folder / "samples"

    def made(self) -> Path:
        """The store, which is made if it is not there."""
        if not self.samples.exists():
            self.build(self.folder)
        return self.samples

    @cached_property
    def fingerprint(self) -> str:
        """Of the store."""
        return read_manifest(self.made()).fingerprint

    @cached_property
    def features(self) -> Features:
        """Fitted to the store."""
        store = Store(self.made())
        spec = FeatureSpec.read(self.spec) if self.spec else infer_spec(store.folder)
        return fit_features(store.folder, spec.expand({name: list(of) for name, of in store.columns.items()}))

    def setup(self, model: str) -> str:
        """Size, training settings, samples."""
        size = self.models[model]
        return " ".join((size.name, *size.settings, *self.training, f"samples={self.fingerprint[:8]}"))

    def counts(self, model: str) -> dict[str, float]:
        """Parameters, and operations of scoring a sample with its share of the request (matrices folded)."""
        size = self.models[model]
        with torch.device("meta"):
            made = create_model(size.name, self.features.schema, size.settings)
        parameters, flops = made.parameter_counts(), made.flop_counts()["total"]
        train = read_manifest(self.samples).sizes["train"]
        listed = train.exposed.samples / train.requests
        return {
            "parameters": parameters["total"],
            "dense_parameters": parameters["total"] - parameters["embedding"],
            "flops_a_sample": round(flops.sample + flops.request / listed),
        }

    def train(self, model: str, settings: Mapping[str, float], seed: int) -> Outcome:
        """Train, score the test split's exposed samples with the best weights, and leave nothing behind."""
        size, folder = self.models[model], self.folder / "run"
        shutil.rmtree(folder, ignore_errors=True)
        given = [*self.training, *(f"{name}={value:g}" for name, value in settings.items())]
        given += [f"model.{one}" for one in size.settings]
        started = time.process_time()
        info = verbs.train(self.samples, folder, size.name, seed, given, self.spec)
        seconds = time.process_time() - started
        best, steps, best_step = info.best_metric, info.steps, info.best_step
        assert best is not None
        assert steps is not None
        assert best_step is not None
        run = Run(folder)
        reader = Reader(self.samples, run.features(), "test", run.config()[1].reader, space="exposed")
        test, sums = measured(score(run.model(), reader, torch.device("cpu")))
        facts = self.counts(model) | {
            "step_ms": self.step_ms(model, run.config()[1], run.features()),
            "cpu_seconds": seconds,
            "steps": steps,
            "best_step": best_step,
        }
        shutil.rmtree(folder)
        return Outcome(best.value, test, sums, facts)

    def step_ms(self, model: str, config: TrainConfig, features: Features) -> float:
        """Processor time of a training step, its batch read, milliseconds."""
        size = self.models[model]
        made = create_model(size.name, features.schema, size.settings).train()
        optimizer = make_optimizer(made, config.optimizer)
        reader = Reader(self.samples, features, "train", config.reader)
        taken = []
        for batch, labels in list(islice(reader.batches("time"), TIMED + 1)):
            started = time.thread_time()
            step(made, optimizer, batch, labels, config)
            taken.append(1000 * (time.thread_time() - started))
        return statistics.median(taken[1:])


def measured(scores: Scores) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Metrics of clicks, and what each request adds to those of lists."""
    clicks, values = scores.clicks, scores.scores["click"]
    ranking = rank(values, scores.request)
    lists = {"gauc": gauc(ranking, clicks), "mrr": mrr(ranking, clicks), "ndcg@10": ndcg(ranking, clicks, 10)}
    test = {name: one.value for name, one in lists.items()}
    test |= {"auc": auc(values, clicks), "logloss": logloss(values, clicks)}
    return test, {name: mean_over_requests(one).columns for name, one in lists.items()}
