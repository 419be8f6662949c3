"""The plain Transformer encoder over tokens (Vaswani et al. 2017, arXiv 1706.03762), normalised before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field as Bound
from torch import nn

from corank.layers.attention import SelfAttention, SharedLinear
from corank.layers.per_token import inner
from corank.layers.transformer_block import TransformerBlock
from corank.models.tokens import TokenConfig


class AttentionConfig(TokenConfig):
    """Sizes of the models whose tokens attend to one another: blocks, then a last norm."""

    heads: int = Bound(default=4, ge=1)  # H

    def layers(self, tokens: int) -> Sequence[nn.Module]:
        """Pre-normalised blocks of attention and feed-forward, and a LayerNorm."""
        blocks = (
            TransformerBlock(self.attention(tokens), self.feed_forward(tokens), self.width)
            for _ in range(self.blocks)
        )
        return [*blocks, nn.LayerNorm(self.width)]

    def attention(self, tokens: int) -> nn.Module:
        """Self-attention with one set of weights."""
        return SelfAttention(tokens, self.width, self.heads)

    def feed_forward(self, tokens: int) -> nn.Module:
        """`W2 GELU(W1 x + b1) + b2`, one for all tokens."""
        hidden = inner(self.width, self.expansion)
        up, down = SharedLinear(tokens, self.width, hidden), SharedLinear(tokens, hidden, self.width)
        return nn.Sequential(up, nn.GELU(), down)


class TransformerConfig(AttentionConfig):
    """Sizes of the plain Transformer."""


SIZES: dict[str, dict[str, Any]] = {
    "xs": {"embedding_width": 8, "tokenizer": {"tokens": 8}, "width": 32, "blocks": 1, "heads": 2},
    "s": {"embedding_width": 16, "tokenizer": {"tokens": 8}, "width": 64, "blocks": 2, "heads": 4},
    "m": {"embedding_width": 16, "tokenizer": {"tokens": 16}, "width": 128, "blocks": 2, "heads": 4},
    "l": {"embedding_width": 32, "tokenizer": {"tokens": 16}, "width": 256, "blocks": 2, "heads": 8},
    "xl": {"embedding_width": 32, "tokenizer": {"tokens": 32}, "width": 512, "blocks": 4, "heads": 8},
}
