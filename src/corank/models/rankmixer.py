"""RankMixer (arXiv 2507.15551): parameter-free token mixing and per-token feed-forwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from corank.layers.per_token import PerTokenFFN
from corank.layers.token_mixer import TokenMixer
from corank.models.counting import Part
from corank.models.tokens import TokenConfig


class RankMixerConfig(TokenConfig):
    """Sizes of RankMixer, dense. T must divide D, for the residual needs as many heads as tokens."""

    def layers(self, tokens: int) -> Sequence[nn.Module]:
        """RankMixer blocks."""
        return [RankMixerBlock(tokens, self.width, self.feed_forward(tokens)) for _ in range(self.blocks)]

    def feed_forward(self, tokens: int) -> nn.Module:
        """PFFN."""
        return PerTokenFFN(tokens, self.width, self.expansion)


class RankMixerBlock(nn.Module):
    """`S = LN(mix(X) + X);  X' = LN(PFFN(S) + S)`, H = T (eq. 4-6)."""

    PARTS: ClassVar[dict[str, Part]] = {"ffn": "feed_forward", "norm_ffn": "feed_forward"}

    def __init__(self, tokens: int, width: int, ffn: nn.Module) -> None:
        super().__init__()
        self.mix = TokenMixer(width, heads=tokens)
        self.ffn = ffn
        self.norm_mix = nn.LayerNorm(width)
        self.norm_ffn = nn.LayerNorm(width)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        s_STD = self.norm_mix(self.mix(x_STD) + x_STD)
        out: Tensor = self.norm_ffn(self.ffn(s_STD) + s_STD)
        return out


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "tokenizer": {"tokens": 8}, "width": 32, "blocks": 1},
    "s": {"embedding_width": 16, "tokenizer": {"tokens": 8}, "width": 64, "blocks": 2},
    "m": {"embedding_width": 16, "tokenizer": {"tokens": 16}, "width": 128, "blocks": 2},
    "l": {"embedding_width": 32, "tokenizer": {"tokens": 16}, "width": 256, "blocks": 2},
    "xl": {"embedding_width": 32, "tokenizer": {"tokens": 32}, "width": 512, "blocks": 4},
}
