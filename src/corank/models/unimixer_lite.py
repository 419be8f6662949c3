"""UniMixer with UniMixing-Lite (arXiv 2604.00590): a learned mixing in two SiameseNorm streams."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Bound
from torch import Tensor, nn

from corank.features.schema import InputSchema
from corank.layers.per_token import PerTokenSwiGLU
from corank.layers.rms_norm import RMSNorm
from corank.layers.siamese_norm import SiameseNorm
from corank.layers.tokenizer import TokenizerConfig
from corank.layers.unimixing_lite import UniMixingLite, UniMixingLiteConfig
from corank.models.base import ModelConfig, RankingModel
from corank.models.counting import Part


class UniMixerLiteConfig(ModelConfig):
    """Sizes of `UniMixerLite`, and how its temperature falls."""

    tokenizer: TokenizerConfig = TokenizerConfig()
    width: int = Bound(default=64, ge=1)  # D
    blocks: int = Bound(default=2, ge=1)
    expansion: float = Bound(default=1.0, gt=0)  # hidden width of pSwiGLU, in D
    mixing: UniMixingLiteConfig = UniMixingLiteConfig()
    tau_start: float = Bound(default=1.0, gt=0)
    tau_end: float = Bound(default=0.05, gt=0)

    def build(self, schema: InputSchema) -> UniMixerLite:
        """The model for inputs of this shape."""
        return UniMixerLite(schema, self)


class UniMixerBlock(nn.Module):
    """`pSwiGLU( RMSNorm( X + UniMixing-Lite(X) ) )`; the streams around it carry the residual."""

    PARTS: ClassVar[dict[str, Part]] = {"ffn": "feed_forward"}

    def __init__(self, tokens: int, config: UniMixerLiteConfig) -> None:
        super().__init__()
        self.mix: UniMixingLite = config.mixing.build(tokens, config.width)
        self.norm = RMSNorm(config.width)
        self.ffn = PerTokenSwiGLU(tokens, config.width, config.expansion)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        o_STD = self.norm(x_STD + self.mix(x_STD))
        out: Tensor = self.ffn(o_STD)
        return out


class UniMixerLite(RankingModel):
    """Tokens, UniMixer blocks in SiameseNorm streams, the mean over tokens."""

    PARTS: ClassVar[dict[str, Part]] = RankingModel.PARTS | {"streams": "mixing"}

    config: UniMixerLiteConfig

    def __init__(self, schema: InputSchema, config: UniMixerLiteConfig) -> None:
        super().__init__(schema, config)
        slots = self.embedding.request_slots, self.embedding.sample_slots
        self.tokenizer = config.tokenizer.build(*slots, config.width)
        self.mixers = [UniMixerBlock(self.tokenizer.tokens, config) for _ in range(config.blocks)]
        self.streams = SiameseNorm(self.mixers, config.width)
        self.add_heads(config.width)

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample [S, D]."""
        x_STD = self.tokenizer(request_RE, sample_SE, request_of_S)
        z_SD: Tensor = self.streams(x_STD).mean(dim=1)
        return z_SD

    def set_progress(self, done: float) -> None:
        """Anneal linearly: `tau = max(tau_start - (tau_start - tau_end) * done, tau_end)`."""
        start, end = self.config.tau_start, self.config.tau_end
        for block in self.mixers:
            block.mix.tau.fill_(max(start - (start - end) * done, min(start, end)))

    def mixing(self) -> list[Tensor]:
        """W_r [N, N] of each block, at its present temperature."""
        return [block.mix.matrices()[0].detach() for block in self.mixers]


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "tokenizer": {"tokens": 8}, "width": 32, "blocks": 1},
    "s": {"embedding_width": 16, "tokenizer": {"tokens": 8}, "width": 64, "blocks": 2},
    "m": {
        "embedding_width": 16,
        "tokenizer": {"tokens": 16},
        "width": 128,
        "blocks": 2,
        "mixing": {"rank": 64},
    },
    "l": {
        "embedding_width": 32,
        "tokenizer": {"tokens": 16},
        "width": 256,
        "blocks": 2,
        "mixing": {"rank": 128},
    },
    "xl": {
        "embedding_width": 32,
        "tokenizer": {"tokens": 32},
        "width": 512,
        "blocks": 4,
        "mixing": {"rank": 256},
    },
}
