"""DLRM-MLP: the plain baseline of the RankMixer and UniScale papers, an MLP over concatenated embeddings."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import Field as Bound
from pydantic import model_validator
from torch import Tensor

from corank.features.schema import InputSchema
from corank.layers.mlp import MLP, SplitLinear
from corank.models.base import ModelConfig, RankingModel
from corank.models.counting import Part


class DLRMMLPConfig(ModelConfig):
    """Sizes of `DLRMMLP`."""

    hidden: tuple[int, ...] = Bound(default=(256, 128), min_length=1)
    dropout: float = Bound(default=0.0, ge=0, lt=1)  # after every hidden layer but the first

    @model_validator(mode="after")
    def _nothing_unused(self) -> Self:
        self.refuse_unused(len(self.hidden) > 1, "dropout", "two hidden layers or more")
        return self

    def build(self, schema: InputSchema) -> DLRMMLP:
        """The model for inputs of this shape."""
        return DLRMMLP(schema, self)


class DLRMMLP(RankingModel):
    """`z = MLP([E_request ; E_sample])`; the first layer multiplies the request's part once a request."""

    PARTS: ClassVar[dict[str, Part]] = RankingModel.PARTS | {"first": "feed_forward", "mlp": "feed_forward"}

    def __init__(self, schema: InputSchema, config: DLRMMLPConfig) -> None:
        super().__init__(schema, config)
        first, *rest = config.hidden
        self.first = SplitLinear(self.request_width, self.sample_width, first)
        self.mlp = MLP(first, rest, config.dropout)
        self.add_heads(self.mlp.width)

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample [S, hidden[-1]]."""
        h_SD = self.first(request_RE, sample_SE, request_of_S).relu()
        z_SD: Tensor = self.mlp(h_SD)
        return z_SD


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "hidden": (64, 32)},
    "s": {"embedding_width": 16, "hidden": (256, 128)},
    "m": {"embedding_width": 16, "hidden": (512, 256, 128)},
    "l": {"embedding_width": 32, "hidden": (1024, 512, 256)},
    "xl": {"embedding_width": 32, "hidden": (2048, 1024, 512, 256)},
}
