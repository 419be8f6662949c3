"""RankMixer (arXiv 2507.15551), dense: parameter-free token mixing and per-token feed-forwards."""

from __future__ import annotations

from typing import Any

from pydantic import Field as Bound
from torch import Tensor, nn

from corank.features.schema import InputSchema
from corank.layers.per_token import PerTokenFFN
from corank.layers.token_mixer import TokenMixer
from corank.layers.tokenizer import TokenizerConfig
from corank.models.base import ModelConfig, RankingModel


class RankMixerConfig(ModelConfig):
    """Sizes of `RankMixer`. T must divide D, for the residual needs as many heads as tokens."""

    tokenizer: TokenizerConfig = TokenizerConfig()
    width: int = Bound(default=64, ge=1)  # D
    blocks: int = Bound(default=2, ge=1)
    expansion: float = Bound(default=2.0, gt=0)  # k

    def build(self, schema: InputSchema) -> RankMixer:
        """The model for inputs of this shape."""
        return RankMixer(schema, self)


class RankMixerBlock(nn.Module):
    """`S = LN(mix(X) + X);  X' = LN(PFFN(S) + S)`, H = T (eq. 4-6)."""

    def __init__(self, tokens: int, width: int, expansion: float) -> None:
        super().__init__()
        self.mix = TokenMixer(width, heads=tokens)
        self.ffn = PerTokenFFN(tokens, width, expansion)
        self.norm_mix = nn.LayerNorm(width)
        self.norm_ffn = nn.LayerNorm(width)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        s_STD = self.norm_mix(self.mix(x_STD) + x_STD)
        out: Tensor = self.norm_ffn(self.ffn(s_STD) + s_STD)
        return out


class RankMixer(RankingModel):
    """Tokens, RankMixer blocks, the mean over tokens."""

    def __init__(self, schema: InputSchema, config: RankMixerConfig) -> None:
        super().__init__(schema, config)
        slots = self.embedding.request_slots, self.embedding.sample_slots
        self.tokenizer = config.tokenizer.build(*slots, config.width)
        tokens = self.tokenizer.tokens
        self.blocks = nn.Sequential(
            *(RankMixerBlock(tokens, config.width, config.expansion) for _ in range(config.blocks))
        )
        self.add_heads(config.width)

    def represent(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings to one vector a sample [S, D]."""
        x_STD = self.tokenizer(request_RE, sample_SE, request_of_S)
        z_SD: Tensor = self.blocks(x_STD).mean(dim=1)
        return z_SD


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "tokenizer": {"tokens": 8}, "width": 32, "blocks": 1},
    "s": {"embedding_width": 16, "tokenizer": {"tokens": 8}, "width": 64, "blocks": 2},
    "m": {"embedding_width": 16, "tokenizer": {"tokens": 16}, "width": 128, "blocks": 2},
    "l": {"embedding_width": 32, "tokenizer": {"tokens": 16}, "width": 256, "blocks": 2},
    "xl": {"embedding_width": 32, "tokenizer": {"tokens": 32}, "width": 512, "blocks": 4},
}
