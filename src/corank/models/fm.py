"""Factorization machines (Rendle 2010) and DeepFM (Guo et al. 2017, arXiv 1703.04247)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field as Bound
from pydantic import model_validator
from torch import Tensor, nn

from corank.features.schema import InputSchema
from corank.layers.factorization import FactorizationMachine
from corank.layers.mlp import MLP, SplitLinear
from corank.models.base import ModelConfig, RankingModel
from corank.models.counting import Part


class FMConfig(ModelConfig):
    """Sizes of `FM`: `embedding_width` is that of v, and 1 for the first-order weight."""

    start: Literal["unit", "sum"] = "unit"  # a and b at first: for logits of unit variance, or 1

    @model_validator(mode="after")
    def _nothing_unused(self) -> Self:
        self.refuse_unused(not self.esuif.domain_heads, "start", "esuif.domain_heads=false")
        return self

    def build(self, schema: InputSchema) -> RankingModel:
        """The model for inputs of this shape."""
        return FM(schema, self)


class FM(RankingModel):
    """`w_0 + a sum_f w_f + b sum_{f<g} <v_f, v_g>`; w_0, a and b of each task."""

    PARTS: ClassVar[dict[str, Part]] = RankingModel.PARTS | {"fm": "mixing"}

    def __init__(self, schema: InputSchema, config: FMConfig) -> None:
        super().__init__(schema, config)
        slots = self.embedding.request_slots, self.embedding.sample_slots
        self.fm = FactorizationMachine(*slots, config.embedding_width)
        self.add_heads(2)
        _begin(self.heads, config, sum(map(len, slots)))

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to the two sums of a sample [S, 2]."""
        z_S2: Tensor = self.fm(request_RE, sample_SE, request_of_S)
        return z_S2


class DeepFMConfig(FMConfig):
    """Sizes of `DeepFM`."""

    hidden: tuple[int, ...] = Bound(default=(256, 128), min_length=1)
    dropout: float = Bound(default=0.0, ge=0, lt=1)  # after every hidden layer but the first

    @model_validator(mode="after")
    def _needs_layers(self) -> Self:
        self.refuse_unused(len(self.hidden) > 1, "dropout", "two hidden layers or more")
        return self

    def build(self, schema: InputSchema) -> RankingModel:
        """The model for inputs of this shape."""
        return DeepFM(schema, self)


class DeepFM(RankingModel):
    """`y_FM + w . MLP(v)`: both read the same vectors v."""

    PARTS: ClassVar[dict[str, Part]] = FM.PARTS | {"first": "feed_forward", "mlp": "feed_forward"}

    def __init__(self, schema: InputSchema, config: DeepFMConfig) -> None:
        super().__init__(schema, config)
        slots, width = (self.embedding.request_slots, self.embedding.sample_slots), config.embedding_width
        self.fm = FactorizationMachine(*slots, width)
        request, sample = (len(side) * (width - 1) for side in slots)
        first, *rest = config.hidden
        self.first = SplitLinear(request, sample, first)
        self.mlp = MLP(first, rest, config.dropout)
        self.add_heads(2 + self.mlp.width)
        _begin(self.heads, config, sum(map(len, slots)))

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to the two sums and the last hidden layer [S, 2 + hidden[-1]]."""
        v_RE, v_SE = (self.fm.split(e_nE)[0].flatten(1) for e_nE in (request_RE, sample_SE))
        h_SD = self.mlp(self.first(v_RE, v_SE, request_of_S).relu())
        return torch.cat([self.fm(request_RE, sample_SE, request_of_S), h_SD], dim=1)


def _begin(heads: nn.ModuleDict, config: FMConfig, fields: int) -> None:
    """The first a and b: 1, or F^-1/2 and 1 / (F D^1/2): of F weights and about F^2 / 2 products of D."""
    unit = config.start == "unit"
    for head in (one for one in heads.values() if isinstance(one, nn.Linear)):  # not domains' own
        nn.init.constant_(head.weight[:, 0], fields**-0.5 if unit else 1)
        nn.init.constant_(
            head.weight[:, 1], 1 / (fields * (config.embedding_width - 1) ** 0.5) if unit else 1
        )


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8},
    "s": {"embedding_width": 16},
    "m": {"embedding_width": 32},
    "l": {"embedding_width": 64},
    "xl": {"embedding_width": 128},
}
DEEPFM_SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "hidden": (64, 32)},
    "s": {"embedding_width": 16, "hidden": (256, 128)},
    "m": {"embedding_width": 16, "hidden": (512, 256, 128)},
    "l": {"embedding_width": 32, "hidden": (1024, 512, 256)},
    "xl": {"embedding_width": 32, "hidden": (2048, 1024, 512, 256)},
}
