"""Training on a flat click table (id fields and a label), for studies on public CTR data.

Such tables have neither requests nor times, so the path from logs to samples does not apply: rows become
batches here, every row a request of its own; models, optimizer, loss and metrics are the package's.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import torch
from pydantic import Field as Bound
from torch import Tensor, nn

from corank.config import Config
from corank.evaluation.areas import auc
from corank.evaluation.probabilities import logloss
from corank.features.batch import Batch, Labels, Side
from corank.features.schema import IdInput, InputSchema, SideSchema
from corank.models import RankingModel, model_config
from corank.training.config import LossConfig, OptimizerConfig
from corank.training.losses import loss
from corank.training.optimizer import make_optimizer, set_rate

FIRST_CODE = 2
"""Codes 0 and 1 stand for missing and unseen values."""


@dataclass(frozen=True)
class Table:
    """Codes [rows, fields] and labels [rows] of one split."""

    codes: Tensor
    clicks: Tensor

    def batches(self, size: int, order: torch.Generator | None = None) -> Iterator[tuple[Batch, Labels]]:
        """All rows, in the table's order or a drawn one."""
        rows = len(self.clicks)
        drawn = None if order is None else torch.randperm(rows, generator=order)
        for first in range(0, rows, size):
            part = slice(first, first + size)
            at = part if drawn is None else drawn[part]
            yield _batch(self.codes[at], self.clicks[at])


def _batch(codes: Tensor, clicks: Tensor) -> tuple[Batch, Labels]:
    count = len(clicks)
    no_numbers = torch.zeros(count, 0)
    request = Side(torch.zeros(count, 0, dtype=torch.int64), no_numbers, [], [])
    batch = Batch(request, Side(codes, no_numbers, [], []), torch.arange(count))
    return batch, Labels(clicks, torch.zeros(count), torch.ones(count))


@dataclass(frozen=True)
class ClickData:
    """The three splits, encoded by the vocabularies of the first, and the shape of a model's input."""

    schema: InputSchema
    train: Table
    valid: Table
    test: Table


def read(folder: Path, label: str = "label") -> ClickData:
    """Read `train`, `valid` and `test.parquet`; every column but the label is a field of ids."""
    tables = {split: pq.read_table(folder / f"{split}.parquet") for split in ("train", "valid", "test")}
    fields = [name for name in tables["train"].column_names if name != label]
    known = {name: np.unique(tables["train"][name].to_numpy()) for name in fields}
    ids = tuple(
        IdInput(name=name, group=name, table=name, cardinality=len(values) + FIRST_CODE)
        for name, values in known.items()
    )
    made = []
    for table in tables.values():
        codes = np.stack([_encode(table[name].to_numpy(), known[name]) for name in fields], axis=1)
        clicks = table[label].to_numpy().astype(np.float32)
        made.append(Table(torch.from_numpy(codes), torch.from_numpy(clicks)))
    return ClickData(InputSchema(sample=SideSchema(ids=ids)), *made)


def _encode(values: npt.NDArray[Any], known: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    at = np.searchsorted(known, values).clip(max=len(known) - 1)
    return np.where(known[at] == values, at + FIRST_CODE, 1)


class CTRConfig(Config):
    """How a model is trained on a flat table: early stopping by AUC on the validation split."""

    batch: int = Bound(default=1024, ge=1)
    epochs: int = Bound(default=20, ge=1)
    patience: int = Bound(default=3, ge=1)  # epochs without a better AUC before training stops
    embedding_l2: float = Bound(default=0.0, ge=0)  # adds this times the tables to their gradient
    optimizer: OptimizerConfig = OptimizerConfig(warmup_steps=50, decay="linear")


@dataclass(frozen=True)
class Result:
    """One trained model, at its best epoch by validation AUC.

    Attributes:
        flops: a sample, as `corank.layers.flops` counts.
    """

    valid_auc: float
    test_auc: float
    test_logloss: float
    epoch: int
    seconds: float
    parameters: int
    flops: int


def train(name: str, settings: Sequence[str], config: CTRConfig, data: ClickData, seed: int) -> Result:
    """Train a model and measure it; the test split is looked at once, with the best epoch's weights."""
    torch.manual_seed(seed)
    model = model_config(name, settings).build(data.schema)
    parameters, flops = model.parameter_counts()["total"], model.flop_counts()["total"].sample
    optimizer = make_optimizer(model, config.optimizer)
    order = torch.Generator().manual_seed(seed)
    total = -(-len(data.train.clicks) // config.batch) * config.epochs
    step, best, best_epoch, weights = 0, -1.0, 0, model.state_dict()
    begun = time.monotonic()
    for epoch in range(1, config.epochs + 1):
        model.train()
        for batch, labels in data.train.batches(config.batch, order):
            set_rate(optimizer, config.optimizer, step, total)
            model.set_progress(step / total)
            _step(model, optimizer, batch, labels, config)
            step += 1
        found = auc(scores(model, data.valid), data.valid.clicks.numpy())
        if found > best:
            best, best_epoch, weights = found, epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= config.patience:
            break
    seconds = time.monotonic() - begun
    model.load_state_dict(weights)
    test, clicks = scores(model, data.test), data.test.clicks.numpy()
    return Result(best, auc(test, clicks), logloss(test, clicks), best_epoch, seconds, parameters, flops)


def _step(
    model: RankingModel, optimizer: torch.optim.Optimizer, batch: Batch, labels: Labels, config: CTRConfig
) -> None:
    judge = partial(loss, batch=batch, labels=labels, config=LossConfig())
    value = judge(model(batch))
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(sum(model.auxiliary_losses(judge).values(), value))
    if config.embedding_l2:
        for table in model.embedding.tables.parameters():
            assert table.grad is not None
            table.grad.add_(table.detach(), alpha=config.embedding_l2)
    nn.utils.clip_grad_norm_(model.parameters(), config.optimizer.clip_norm)
    optimizer.step()


@torch.inference_mode()
def scores(model: RankingModel, table: Table) -> npt.NDArray[np.float32]:
    """The probability of a click of every row."""
    model.eval()
    with model.folded():
        parts = [torch.sigmoid(model(batch)["click"]) for batch, _ in table.batches(8192)]
    return torch.cat(parts).numpy()
