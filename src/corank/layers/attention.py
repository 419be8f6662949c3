"""Attention between the tokens of a sample, and the projections of the plain Transformer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers.flops import Flops


class Attend(nn.Module):
    """`softmax(Q K^T / sqrt(d)) V` in H heads of d = D / H channels; no parameters.

    Args:
        tokens: T.
        width: D.
        heads: H.
        scaled: divide by sqrt(d).
        queries: tokens that ask; None: all T.

    Raises:
        CorankError: H does not divide D.
    """

    def __init__(
        self, tokens: int, width: int, heads: int, scaled: bool = True, queries: int | None = None
    ) -> None:
        super().__init__()
        if width % heads:
            raise CorankError(f"attention: {heads} heads do not divide the token width {width}")
        self.tokens, self.width, self.heads = tokens, width, heads
        self.queries = tokens if queries is None else queries
        self.scale = (width // heads) ** -0.5 if scaled else 1.0

    def forward(self, q_STD: Tensor, k_STD: Tensor, v_STD: Tensor, pair_TT: Tensor | None = None) -> Tensor:
        """Three times [S, T, D] to [S, T, D]; `pair_TT` multiplies the scores before the softmax.

        With fewer `queries` q and the result have as many tokens.
        """
        if pair_TT is None:  # one kernel: half the time of three at T = 8
            q, k, v = (self._split(x_STD) for x_STD in (q_STD, k_STD, v_STD))
            o_SHTd = F.scaled_dot_product_attention(q, k, v, scale=self.scale)
        else:
            o_SHTd = self.weights(q_STD, k_STD, pair_TT) @ self._split(v_STD)
        return o_SHTd.transpose(1, 2).reshape(q_STD.shape)

    def weights(self, q_STD: Tensor, k_STD: Tensor, pair_TT: Tensor | None = None) -> Tensor:
        """How much each query takes from each token, by sample and head [S, H, queries, T]."""
        score_SHTT = self.scale * (self._split(q_STD) @ self._split(k_STD).mT)
        if pair_TT is not None:
            score_SHTT = pair_TT * score_SHTT
        return torch.softmax(score_SHTT, dim=-1)

    def _split(self, x_STD: Tensor) -> Tensor:
        return x_STD.reshape(*x_STD.shape[:2], self.heads, self.width // self.heads).transpose(1, 2)

    def flops(self) -> Flops:
        """`4 T^2 D`, with fewer queries `4 queries T D`: the scores and the weighted sums."""
        return Flops(sample=4 * self.queries * self.tokens * self.width)


class SharedLinear(nn.Linear):
    """One linear map for all T tokens of a sample.

    Args:
        tokens: T.
        width, out: input and output width.
        bias: with a bias.
    """

    def __init__(self, tokens: int, width: int, out: int, bias: bool = True) -> None:
        super().__init__(width, out, bias)
        self.tokens = tokens

    def flops(self) -> Flops:
        """`2 T` times input and output width."""
        return Flops(sample=2 * self.tokens * self.weight.numel())


class SelfAttention(nn.Module):
    """`Attend(X W_Q, X W_K, X W_V) W_O` (Vaswani et al. 2017, arXiv 1706.03762), one set of weights.

    Args:
        tokens: T.
        width: D.
        heads: H.
    """

    def __init__(self, tokens: int, width: int, heads: int) -> None:
        super().__init__()
        self.attend = Attend(tokens, width, heads)
        maps = (SharedLinear(tokens, width, width, bias=False) for _ in range(4))
        self.q, self.k, self.v, self.out = maps

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        out: Tensor = self.out(self.attend(self.q(x_STD), self.k(x_STD), self.v(x_STD)))
        return out
