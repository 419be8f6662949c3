"""Models that are tokens, layers from [S, T, D] to [S, T, D], and their mean."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field as Bound
from torch import Tensor, nn

from corank.features.schema import InputSchema
from corank.layers.pooling import Pooling, pool, pooled_width
from corank.layers.tokenizer import TokenizerConfig
from corank.models.base import ModelConfig, RankingModel
from corank.models.counting import Part


class TokenConfig(ModelConfig):
    """Sizes that all models of this kind have. A subclass says which `layers` it stacks."""

    tokenizer: TokenizerConfig = TokenizerConfig()
    width: int = Bound(default=64, ge=1)  # D
    blocks: int = Bound(default=2, ge=1)
    expansion: float = Bound(default=2.0, gt=0)  # hidden width of the feed-forwards, in D
    pooling: Pooling = "mean"  # of the tokens, before the heads

    @abstractmethod
    def layers(self, tokens: int) -> Sequence[nn.Module]:
        """The layers, first to last, each [S, T, D] to [S, T, D].

        Raises:
            CorankError: the sizes do not fit one another.
        """

    def build(self, schema: InputSchema) -> RankingModel:
        """The model for inputs of this shape."""
        return TokenModel(schema, self)


class TokenModel(RankingModel):
    """Tokens, the layers that the configuration stacks, their mean or all side by side."""

    PARTS: ClassVar[dict[str, Part]] = RankingModel.PARTS | {"blocks": "mixing"}

    config: TokenConfig

    def __init__(self, schema: InputSchema, config: TokenConfig) -> None:
        super().__init__(schema, config)
        slots = self.embedding.request_slots, self.embedding.sample_slots
        self.tokenizer = config.tokenizer.build(*slots, config.width)
        self.blocks = nn.Sequential(*config.layers(self.tokenizer.tokens))
        self.add_heads(pooled_width(config.pooling, self.tokenizer.tokens, config.width))

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample: [S, D], or [S, T * D] if concatenated."""
        x_STD = self.tokenizer(request_RE, sample_SE, request_of_S)
        return pool(self.config.pooling, self.blocks(x_STD))
