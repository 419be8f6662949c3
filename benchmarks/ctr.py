"""Training on a flat click table: id fields and a label, one sample a request; what studies on CTR data share.

The tables have no requests and no time, so they are no logs, and the path from logs to samples does not apply:
rows become batches here, everything after is the package's own (models, optimizer, loss, metrics).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
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

    def batch(self, rows: Tensor) -> tuple[Batch, Labels]:
        """Some rows; each is a request of its own, without inputs on the request's side."""
        count = len(rows)
        nothing = Side(torch.zeros(count, 0, dtype=torch.int64), torch.zeros(count, 0), [], [])
        batch = Batch(nothing, Side(self.codes[rows], torch.zeros(count, 0), [], []), torch.arange(count))
        clicks = self.clicks[rows]
        return batch, Labels(clicks, torch.zeros(count), torch.ones(count))

    def batches(self, size: int, order: torch.Generator | None = None) -> Iterator[tuple[Batch, Labels]]:
        """All rows, in the table's order or a drawn one."""
        count = len(self.clicks)
        rows = torch.arange(count) if order is None else torch.randperm(count, generator=order)
        for part in rows.split(size):
            yield self.batch(part)


@dataclass(frozen=True)
class ClickData:
    """The three splits, encoded by the vocabularies of the first, and the shape of a model's input."""

    schema: InputSchema
    train: Table
    valid: Table
    test: Table


def read(folder: Path, label: str = "label") -> ClickData:
    """Read `train`, `valid` and `test.parquet`; every other column is a field of ids."""
    tables = {split: pq.read_table(folder / f"{split}.parquet") for split in ("train", "valid", "test")}
    fields = [name for name in tables["train"].column_names if name != label]
    known = {name: np.unique(tables["train"][name].to_numpy()) for name in fields}
    schema = InputSchema(
        sample=SideSchema(
            ids=tuple(
                IdInput(name=name, group=name, table=name, cardinality=len(values) + FIRST_CODE)
                for name, values in known.items()
            )
        )
    )
    made = {}
    for split, table in tables.items():
        codes = np.stack([_encode(table[name].to_numpy(), known[name]) for name in fields], axis=1)
        clicks = table[label].to_numpy().astype(np.float32)
        made[split] = Table(torch.from_numpy(codes), torch.from_numpy(clicks))
    return ClickData(schema, made["train"], made["valid"], made["test"])


def _encode(values: np.ndarray, known: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    at = np.searchsorted(known, values).clip(max=len(known) - 1)
    return np.where(known[at] == values, at + FIRST_CODE, 1)


class CTRConfig(Config):
    """How a model is trained on a flat table: early stopping by AUC on the validation split."""

    batch: int = 4096
    epochs: int = 20
    patience: int = 2
    optimizer: OptimizerConfig = OptimizerConfig(warmup_steps=50, decay="cosine")


@dataclass(frozen=True)
class Result:
    """One trained model, at its best epoch by validation AUC."""

    valid_auc: float
    test_auc: float
    test_logloss: float
    epoch: int
    seconds: float
    parameters: int


def train(name: str, settings: Sequence[str], config: CTRConfig, data: ClickData, seed: int) -> Result:
    """Train a model and measure it; the test split is looked at once, with the best epoch's weights."""
    torch.manual_seed(seed)
    model = model_config(name, settings).build(data.schema)
    optimizer = make_optimizer(model, config.optimizer)
    order = torch.Generator().manual_seed(seed)
    steps = -(-len(data.train.clicks) // config.batch)
    total, step, best, best_epoch, weights = steps * config.epochs, 0, -1.0, 0, {}
    begun = time.monotonic()
    for epoch in range(1, config.epochs + 1):
        model.train()
        for batch, labels in data.train.batches(config.batch, order):
            set_rate(optimizer, config.optimizer, step, total)
            model.set_progress(step / total)
            value = loss(model(batch), batch, labels, LossConfig())
            optimizer.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), config.optimizer.clip_norm)
            optimizer.step()
            step += 1
        found = auc(scores(model, data.valid), data.valid.clicks.numpy())
        if found > best:
            best, best_epoch, weights = found, epoch, copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= config.patience:
            break
    seconds = time.monotonic() - begun
    model.load_state_dict(weights)
    test, clicks = scores(model, data.test), data.test.clicks.numpy()
    count = sum(parameter.numel() for parameter in model.parameters())
    return Result(best, auc(test, clicks), logloss(test, clicks), best_epoch, seconds, count)


@torch.no_grad()
def scores(model: RankingModel, table: Table) -> np.ndarray:  # type: ignore[type-arg]
    """The probability of a click of every row."""
    model.eval()
    parts = [torch.sigmoid(model(batch)["click"]) for batch, _ in table.batches(16_384)]
    return torch.cat(parts).numpy()
