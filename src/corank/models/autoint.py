"""AutoInt (Song et al. 2019, arXiv 1810.11921): fields attend to one another, layer upon layer."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Bound
from torch import Tensor, nn

from corank.features.schema import InputSchema
from corank.layers.interacting import InteractingLayer
from corank.layers.tokenizer import TokenizerConfig
from corank.models.base import ModelConfig, RankingModel
from corank.models.counting import Part


class AutoIntConfig(ModelConfig):
    """Sizes of `AutoInt`."""

    tokenizer: TokenizerConfig = TokenizerConfig(kind="fields")
    width: int = Bound(default=32, ge=1)  # D, of all heads together
    heads: int = Bound(default=2, ge=1)  # H
    blocks: int = Bound(default=3, ge=1)

    def build(self, schema: InputSchema) -> AutoInt:
        """The model for inputs of this shape."""
        return AutoInt(schema, self)


class AutoInt(RankingModel):
    """Field tokens, interacting layers, all tokens concatenated (eq. 9)."""

    PARTS: ClassVar[dict[str, Part]] = RankingModel.PARTS | {"blocks": "mixing"}

    def __init__(self, schema: InputSchema, config: AutoIntConfig) -> None:
        super().__init__(schema, config)
        slots = self.embedding.request_slots, self.embedding.sample_slots
        self.tokenizer = config.tokenizer.build(*slots, config.width)
        tokens, width = self.tokenizer.tokens, config.width
        layers = (InteractingLayer(tokens, width, config.heads) for _ in range(config.blocks))
        self.blocks = nn.Sequential(*layers)
        self.add_heads(tokens * width)

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample [S, T * D]."""
        e_STD: Tensor = self.blocks(self.tokenizer(request_RE, sample_SE, request_of_S))
        return e_STD.flatten(1)


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "width": 32, "heads": 2, "blocks": 1},
    "s": {"embedding_width": 16, "width": 64, "heads": 2, "blocks": 3},
    "m": {"embedding_width": 16, "width": 128, "heads": 4, "blocks": 3},
    "l": {"embedding_width": 32, "width": 256, "heads": 4, "blocks": 4},
    "xl": {"embedding_width": 32, "width": 512, "heads": 8, "blocks": 6},
}
