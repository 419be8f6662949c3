"""Global feature attention (UniScale, arXiv 2603.24226): composite tokens, each made of all features."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from corank.layers.attention import Attend
from corank.layers.per_token import inner


class GFA(nn.Module):
    """`z = FFN(LN([o_1 ; ... ; o_T']))`, `o = Attend(Q, K, V)`, `Q = cut(W_Q vec(LN(X)) + b)`, K and V alike.

    The T tokens are concatenated; each of T' composite tokens has projections of its own of that whole
    (HiFormer's, Gui et al. 2023, arXiv 2311.05884), of full or low rank; they attend to one another, are
    concatenated and go through one feed-forward.

    Args:
        tokens: T, of the input.
        width: of the input's tokens, d_H in the paper.
        composite: T'.
        out: width of composite tokens and of z, d_G in the paper.
        heads: H.
        expansion: hidden width of the feed-forward, in d_G.
        rank: of the three projections; None: full.

    Raises:
        CorankError: H does not divide d_G.
    """

    PARTS: ClassVar = {"norm_ffn": "feed_forward", "ffn": "feed_forward"}

    def __init__(
        self,
        tokens: int,
        width: int,
        composite: int,
        out: int,
        heads: int,
        expansion: float,
        rank: int | None = None,
    ) -> None:
        super().__init__()
        hidden = inner(out, expansion)
        self.attend = Attend(composite, out, heads)
        self.norm = nn.LayerNorm(width)
        self.q, self.k, self.v = (_projection(tokens * width, composite * out, rank) for _ in range(3))
        self.norm_ffn = nn.LayerNorm(composite * out)
        self.ffn = nn.Sequential(nn.Linear(composite * out, hidden), nn.GELU(), nn.Linear(hidden, out))
        self.composite, self.out = composite, out

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, d_H] to [S, d_G]."""
        x_SE = self.norm(x_STD).flatten(1)
        q, k, v = (m(x_SE).unflatten(1, (self.composite, self.out)) for m in (self.q, self.k, self.v))
        z_SD: Tensor = self.ffn(self.norm_ffn(self.attend(q, k, v).flatten(1)))
        return z_SD


def _projection(width: int, out: int, rank: int | None) -> nn.Module:
    """`W x + b`, or `R L x + b` of that rank."""
    if rank is None:
        return nn.Linear(width, out)
    return nn.Sequential(nn.Linear(width, rank, bias=False), nn.Linear(rank, out))
