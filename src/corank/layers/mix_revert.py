"""TokenMixer-Large's block (arXiv 2602.06563): mix, feed forward, revert, feed forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn

from corank.layers.rms_norm import RMSNorm
from corank.layers.token_mixer import TokenMixer


class MixRevertBlock(nn.Module):
    """Mixed tokens have a feed-forward of their own, and the residual meets tokens as they were:

        M = mix(X)                           T x D  ->  H x T D / H
        M' = M + pSwiGLU_1(RMSNorm(M))
        X' = X + pSwiGLU_2(RMSNorm(revert(M')))

    Args:
        tokens: T.
        width: D.
        heads: H.
        ffn: makes a feed-forward for so many tokens of such a width.

    Raises:
        CorankError: H does not divide D.
    """

    PARTS: ClassVar = {
        "ffn_mixed": "feed_forward",
        "ffn": "feed_forward",
        "norm_mixed": "feed_forward",
        "norm": "feed_forward",
    }

    def __init__(self, tokens: int, width: int, heads: int, ffn: Callable[[int, int], nn.Module]) -> None:
        super().__init__()
        self.mix = TokenMixer(width, heads)
        mixed = tokens * width // heads
        self.revert = TokenMixer(mixed, heads=tokens)
        self.ffn_mixed, self.norm_mixed = ffn(heads, mixed), RMSNorm(mixed)
        self.ffn, self.norm = ffn(tokens, width), RMSNorm(width)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        m_SHd = self.mix(x_STD)
        m_SHd = m_SHd + self.ffn_mixed(self.norm_mixed(m_SHd))
        out: Tensor = x_STD + self.ffn(self.norm(self.revert(m_SHd)))
        return out
