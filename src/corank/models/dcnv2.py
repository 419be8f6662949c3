"""DCN-V2 (Wang et al. 2021, arXiv 2008.13535): explicit feature crosses beside a deep network."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import torch
from pydantic import Field as Bound
from pydantic import model_validator
from torch import Tensor

from corank.features.schema import InputSchema
from corank.layers.cross import CrossNetwork
from corank.layers.mlp import MLP, SplitLinear
from corank.models.base import ModelConfig, RankingModel
from corank.models.counting import Part


class DCNv2Config(ModelConfig):
    """Sizes of `DCNv2`."""

    cross_layers: int = Bound(default=2, ge=1)
    cross_rank: int | None = Bound(default=None, ge=1)
    hidden: tuple[int, ...] = Bound(default=(256, 128), min_length=1)
    dropout: float = Bound(default=0.0, ge=0, lt=1)  # after every hidden layer but the first

    @model_validator(mode="after")
    def _nothing_unused(self) -> Self:
        self.refuse_unused(len(self.hidden) > 1, "dropout", "two hidden layers or more")
        return self

    def build(self, schema: InputSchema) -> DCNv2:
        """The model for inputs of this shape."""
        return DCNv2(schema, self)


class DCNv2(RankingModel):
    """The parallel structure: `z = [Cross(x_0) ; MLP(x_0)]` with `x_0 = [E_request ; E_sample]`."""

    PARTS: ClassVar[dict[str, Part]] = RankingModel.PARTS | {
        "cross": "mixing",
        "first": "feed_forward",
        "mlp": "feed_forward",
    }

    def __init__(self, schema: InputSchema, config: DCNv2Config) -> None:
        super().__init__(schema, config)
        width = self.request_width + self.sample_width
        first, *rest = config.hidden
        self.cross = CrossNetwork(width, config.cross_layers, config.cross_rank)
        self.first = SplitLinear(self.request_width, self.sample_width, first)
        self.mlp = MLP(first, rest, config.dropout)
        self.add_heads(width + self.mlp.width)

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample [S, E + hidden[-1]]."""
        x0_SE = torch.cat([request_RE.index_select(0, request_of_S), sample_SE], dim=1)
        h_SD = self.first(request_RE, sample_SE, request_of_S).relu()
        return torch.cat([self.cross(x0_SE), self.mlp(h_SD)], dim=1)


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "cross_layers": 1, "hidden": (64, 32)},
    "s": {"embedding_width": 16, "cross_layers": 2, "hidden": (256, 128)},
    "m": {"embedding_width": 16, "cross_layers": 3, "hidden": (512, 256, 128)},
    "l": {"embedding_width": 32, "cross_layers": 3, "hidden": (1024, 512, 256)},
    "xl": {"embedding_width": 32, "cross_layers": 4, "hidden": (2048, 1024, 512, 256)},
}
