"""Attention with projections of their own for every token (HiFormer, arXiv 2311.05884)."""

from __future__ import annotations

from torch import Tensor, nn

from corank.layers.attention import Attend
from corank.layers.per_token import PerTokenLinear


class HeteroAttention(nn.Module):
    """`q_i = x_i W_Q^i`, `k_i = x_i W_K^i`, `v_i = x_i W_V^i`; `o_i = Attend(q, k, v)_i W_O^i`.

    Args:
        tokens: T.
        width: D.
        heads: H.

    Raises:
        CorankError: H does not divide D.
    """

    def __init__(self, tokens: int, width: int, heads: int) -> None:
        super().__init__()
        self.attend = Attend(tokens, width, heads)
        self.q, self.k, self.v, self.out = (PerTokenLinear(tokens, width, width) for _ in range(4))

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        x_TSD = x_STD.transpose(0, 1)
        q_STD, k_STD, v_STD = (project(x_TSD).transpose(0, 1) for project in (self.q, self.k, self.v))
        o_STD = self.attend(q_STD, k_STD, v_STD)
        out_TSD: Tensor = self.out(o_STD.transpose(0, 1))
        return out_TSD.transpose(0, 1)


class CompositeProjection(nn.Module):
    """`reshape(vec(X) L R + b)`: every token of the result sees all features, through r numbers.

    Args:
        tokens: T.
        width: D.
        rank: r.
    """

    def __init__(self, tokens: int, width: int, rank: int) -> None:
        super().__init__()
        self.left = nn.Linear(tokens * width, rank, bias=False)
        self.right = nn.Linear(rank, tokens * width)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        out: Tensor = self.right(self.left(x_STD.flatten(1)))
        return out.reshape(x_STD.shape)


class CompositeAttention(nn.Module):
    """HiFormer's attention: composite `Q = vec(X) L_q R_q`, K and V alike; `o_i = Attend(Q, K, V)_i W_O^i`.

    Args:
        tokens: T.
        width: D.
        heads: H.
        rank: r of the three projections.

    Raises:
        CorankError: H does not divide D.
    """

    def __init__(self, tokens: int, width: int, heads: int, rank: int) -> None:
        super().__init__()
        self.attend = Attend(tokens, width, heads)
        self.q, self.k, self.v = (CompositeProjection(tokens, width, rank) for _ in range(3))
        self.out = PerTokenLinear(tokens, width, width)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        o_STD = self.attend(self.q(x_STD), self.k(x_STD), self.v(x_STD))
        out_TSD: Tensor = self.out(o_STD.transpose(0, 1))
        return out_TSD.transpose(0, 1)
