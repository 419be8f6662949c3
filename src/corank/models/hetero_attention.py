"""Heterogeneous attention and HiFormer (Gui et al. 2023, arXiv 2311.05884)."""

from __future__ import annotations

from typing import Any

from pydantic import Field as Bound
from torch import nn

from corank.layers.hetero_attention import CompositeAttention, HeteroAttention
from corank.layers.per_token import PerTokenFFN
from corank.models.transformer import SIZES as TRANSFORMER
from corank.models.transformer import AttentionConfig


class HeteroAttentionConfig(AttentionConfig):
    """Sizes of heterogeneous attention: the Transformer with all weights of its own for every token."""

    def attention(self, tokens: int) -> nn.Module:
        """Q, K, V and output of each token."""
        return HeteroAttention(tokens, self.width, self.heads)

    def feed_forward(self, tokens: int) -> nn.Module:
        """`W2_t GELU(W1_t x + b1_t) + b2_t`."""
        return PerTokenFFN(tokens, self.width, self.expansion)


class HiFormerConfig(HeteroAttentionConfig):
    """Sizes of HiFormer: Q, K and V composed from all tokens at once, at low rank."""

    rank: int = Bound(default=64, ge=1)  # r of L_k R_k

    def attention(self, tokens: int) -> nn.Module:
        """Composite Q, K and V; an output of each token."""
        return CompositeAttention(tokens, self.width, self.heads, self.rank)


SIZES: dict[str, dict[str, Any]] = TRANSFORMER
# Half of D: Q, K and V have as many parameters as those of each token.
HIFORMER_RANK = {
    "xs": 16,
    "s": 32,
    "m": 64,
    "l": 128,
    "xl": 256,
}
HIFORMER_SIZES: dict[str, dict[str, Any]] = {
    size: values | {"rank": HIFORMER_RANK[size]} for size, values in TRANSFORMER.items()
}
