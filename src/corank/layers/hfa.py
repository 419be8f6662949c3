"""Heterogeneous feature attention (UniScale, arXiv 2603.24226; HHFT, arXiv 2511.20235)."""

from __future__ import annotations

from corank.layers.hetero_attention import HeteroAttention
from corank.layers.per_token import PerTokenFFN
from corank.layers.transformer_block import TransformerBlock


class HFA(TransformerBlock):
    """`H = X + HeteroAttention(LN(X));  out = H + FFN_t(LN(H))`.

    Every token t has its own W_Q^t, W_K^t, W_V^t, W_O^t and feed-forward, around one multi-head
    self-attention that all share.

    Args:
        tokens: T.
        width: D, d_H in the paper.
        heads: H.
        expansion: hidden width of the feed-forwards, in D.

    Raises:
        CorankError: H does not divide D.
    """

    def __init__(self, tokens: int, width: int, heads: int, expansion: float) -> None:
        mix, ffn = HeteroAttention(tokens, width, heads), PerTokenFFN(tokens, width, expansion)
        super().__init__(mix, ffn, width)
