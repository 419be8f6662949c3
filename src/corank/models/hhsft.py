"""HHSFT (UniScale, arXiv 2603.24226): heterogeneous and global feature attention, then domains."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Bound
from torch import Tensor, nn

from corank.config import Config
from corank.features.schema import InputSchema
from corank.layers.esuif import ESUIFConfig
from corank.layers.gfa import GFA
from corank.layers.hfa import HFA
from corank.layers.tokenizer import TokenizerConfig
from corank.models.base import ModelConfig, RankingModel
from corank.models.counting import Part


class HFAConfig(Config):
    """Sizes of heterogeneous feature attention."""

    width: int = Bound(default=64, ge=1)  # d_H
    blocks: int = Bound(default=2, ge=1)
    heads: int = Bound(default=4, ge=1)
    expansion: float = Bound(default=2.0, gt=0)  # hidden width of each token's feed-forward, in d_H

    def build(self, tokens: int) -> nn.Sequential:
        """The blocks for so many tokens."""
        blocks = (HFA(tokens, self.width, self.heads, self.expansion) for _ in range(self.blocks))
        return nn.Sequential(*blocks)


class GFAConfig(Config):
    """Sizes of global feature attention."""

    width: int = Bound(default=128, ge=1)  # d_G, also of the representation
    tokens: int = Bound(default=4, ge=1)  # T', composite ones
    heads: int = Bound(default=4, ge=1)
    expansion: float = Bound(default=2.0, gt=0)  # hidden width of the feed-forward, in d_G
    rank: int | None = Bound(default=None, ge=1)  # of the composite projections; None: full

    def build(self, tokens: int, width: int) -> GFA:
        """The layer for so many tokens of this width."""
        return GFA(tokens, width, self.tokens, self.width, self.heads, self.expansion, self.rank)


class HHSFTConfig(ModelConfig):
    """Sizes of `HHSFT`. With all of `esuif` switched off it is the paper's HHFI."""

    tokenizer: TokenizerConfig = TokenizerConfig(kind="groups")
    hfa: HFAConfig = HFAConfig()
    gfa: GFAConfig = GFAConfig()
    esuif: ESUIFConfig = ESUIFConfig(dref=True, dapga=True, domain_heads=True)

    def build(self, schema: InputSchema) -> HHSFT:
        """The model for inputs of this shape."""
        return HHSFT(schema, self)


class HHSFT(RankingModel):
    """`z = GFA(HFA(tokens)); o = ESUIF(z, [x_User ; x_Domain])`, a head a domain and task."""

    PARTS: ClassVar[dict[str, Part]] = RankingModel.PARTS | {"hfa": "mixing", "gfa": "mixing"}

    def __init__(self, schema: InputSchema, config: HHSFTConfig) -> None:
        super().__init__(schema, config)
        slots = self.embedding.request_slots, self.embedding.sample_slots
        self.tokenizer = config.tokenizer.build(*slots, config.hfa.width)
        self.hfa = config.hfa.build(self.tokenizer.tokens)
        self.gfa = config.gfa.build(self.tokenizer.tokens, config.hfa.width)
        self.add_heads(config.gfa.width)

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample [S, d_G]."""
        x_STD = self.tokenizer(request_RE, sample_SE, request_of_S)
        z_SD: Tensor = self.gfa(self.hfa(x_STD))
        return z_SD


SIZES: dict[str, dict[str, Any]] = {
    size: {
        "embedding_width": embedding_width,
        "hfa": {"width": d_H, "blocks": blocks, "heads": heads},
        "gfa": {"width": d_G, "tokens": tokens, "heads": heads},
    }
    for size, embedding_width, d_H, d_G, blocks, tokens, heads in (
        ("xs", 8, 32, 32, 1, 4, 2),
        ("s", 16, 64, 64, 2, 4, 4),
        ("m", 16, 128, 128, 2, 4, 4),
        ("l", 32, 256, 256, 2, 8, 8),
        ("xl", 32, 512, 512, 4, 8, 8),
    )
}
