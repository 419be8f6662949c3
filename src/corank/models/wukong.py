"""Wukong (Zhang et al. 2024, arXiv 2403.02545): factorization machines stacked, then an MLP."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Bound
from torch import Tensor, nn

from corank.features.schema import InputSchema
from corank.layers.mlp import MLP
from corank.layers.tokenizer import TokenizerConfig
from corank.layers.wukong import WukongLayer
from corank.models.base import ModelConfig, RankingModel
from corank.models.counting import Part


class WukongConfig(ModelConfig):
    """Sizes of `Wukong`."""

    tokenizer: TokenizerConfig = TokenizerConfig(kind="fields")
    width: int = Bound(default=32, ge=1)  # d
    blocks: int = Bound(default=2, ge=1)
    products: int = Bound(default=8, ge=1)  # n_F, tokens that each layer makes of products
    combinations: int = Bound(default=8, ge=1)  # n_L, tokens that each layer makes of tokens
    rank: int = Bound(default=8, ge=1)  # k, columns of Y
    hidden: tuple[int, ...] = Bound(default=(128,), min_length=1)  # of the MLP in FMB
    last: tuple[int, ...] = Bound(default=(64,), min_length=1)  # of the MLP on top

    def build(self, schema: InputSchema) -> Wukong:
        """The model for inputs of this shape."""
        return Wukong(schema, self)


class Wukong(RankingModel):
    """Field tokens, Wukong layers, an MLP over all tokens."""

    PARTS: ClassVar[dict[str, Part]] = RankingModel.PARTS | {"blocks": "mixing", "mlp": "feed_forward"}

    def __init__(self, schema: InputSchema, config: WukongConfig) -> None:
        super().__init__(schema, config)
        slots = self.embedding.request_slots, self.embedding.sample_slots
        self.tokenizer = config.tokenizer.build(*slots, config.width)
        made = config.products + config.combinations
        tokens = [self.tokenizer.tokens, *[made] * config.blocks]
        self.blocks = nn.Sequential(
            *(
                WukongLayer(n, config.width, config.rank, config.hidden, config.products, config.combinations)
                for n in tokens[:-1]
            )
        )
        self.mlp = MLP(made * config.width, config.last)
        self.add_heads(self.mlp.width)

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample [S, last[-1]]."""
        x_STD: Tensor = self.blocks(self.tokenizer(request_RE, sample_SE, request_of_S))
        z_SD: Tensor = self.mlp(x_STD.flatten(1))
        return z_SD


SIZES: dict[str, dict[str, Any]] = {
    "xs": {
        "embedding_width": 8,
        "width": 16,
        "blocks": 1,
        "products": 4,
        "combinations": 4,
        "rank": 4,
        "hidden": (64,),
        "last": (32,),
    },
    "s": {
        "embedding_width": 16,
        "width": 32,
        "blocks": 2,
        "products": 8,
        "combinations": 8,
        "rank": 8,
        "hidden": (256,),
        "last": (128,),
    },
    "m": {
        "embedding_width": 16,
        "width": 64,
        "blocks": 2,
        "products": 16,
        "combinations": 16,
        "rank": 16,
        "hidden": (512,),
        "last": (256,),
    },
    "l": {
        "embedding_width": 32,
        "width": 128,
        "blocks": 3,
        "products": 16,
        "combinations": 16,
        "rank": 24,
        "hidden": (1024,),
        "last": (512,),
    },
    "xl": {
        "embedding_width": 32,
        "width": 256,
        "blocks": 4,
        "products": 32,
        "combinations": 32,
        "rank": 32,
        "hidden": (2048, 2048),
        "last": (1024,),
    },
}
