"""What a score is compared with: the embedding that stands where there is no input."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from corank.features.batch import Batch, Side
from corank.features.schema import InputSchema, SideSchema
from corank.models.base import RankingModel

Baseline = Literal["mean", "missing"]
BASELINES: tuple[Baseline, ...] = get_args(Baseline)

DEFINED: dict[Baseline, str] = {
    "mean": "the mean embedding of the requests read, and of their samples: an average request and item",
    "missing": "the embedding of inputs that are all missing: ids of code 0, empty sequences, absent numbers",
}


def missing_E(model: RankingModel) -> Tensor:
    """The embedding [E_request + E_sample] of a request and a sample of which nothing is known."""
    batch = Batch(*_nothing(model.schema), torch.zeros(1, dtype=torch.int64))
    with torch.no_grad():
        return torch.cat([part[0] for part in model.embedding(batch)])


def _nothing(schema: InputSchema) -> tuple[Side, Side]:
    def side(inputs: SideSchema) -> Side:
        return Side(
            torch.zeros(1, len(inputs.ids), dtype=torch.int64),
            torch.full((1, len(inputs.numbers)), torch.nan),
            [torch.zeros(1, s.length, dtype=torch.int64) for s in inputs.sequences],
            [torch.full((1, e.dim), torch.nan) for e in inputs.embeddings],
        )

    return side(schema.request), side(schema.sample)
