"""Wukong's interaction layer (Zhang et al. 2024, arXiv 2403.02545): stacked factorization machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from corank.layers.flops import Flops
from corank.layers.mixing import Mixing
from corank.layers.mixing_families import Free, Gram
from corank.layers.mlp import MLP


class TokenCombination(nn.Module):
    """`W X`: tokens as linear combinations of tokens (LCB, and the projection of a residual).

    Args:
        tokens, out: n and how many are made.
        width: d.
    """

    def __init__(self, tokens: int, out: int, width: int) -> None:
        super().__init__()
        bound = tokens**-0.5
        self.width = width
        self.weight_oT = nn.Parameter(torch.empty(out, tokens).uniform_(-bound, bound))

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, n, d] to [S, out, d]."""
        return torch.einsum("ot,std->sod", self.weight_oT, x_STD)

    def flops(self) -> Flops:
        """`2 n d` times how many are made."""
        return Flops(sample=2 * self.width * self.weight_oT.numel())


class FactorizationBlock(nn.Module):
    """`FMB(X) = reshape( MLP( LN( flatten(X X^T Y) ) ) )`, n_F tokens.

    Args:
        tokens, width: n and d.
        rank: k.
        hidden: hidden widths of the MLP.
        out: n_F.
    """

    PARTS: ClassVar = {"norm": "feed_forward", "mlp": "feed_forward", "last": "feed_forward"}

    def __init__(self, tokens: int, width: int, rank: int, hidden: Sequence[int], out: int) -> None:
        super().__init__()
        self.products = Mixing(tokens, width, Gram(), Free(columns=rank))
        self.norm = nn.LayerNorm(tokens * rank)
        self.mlp = MLP(tokens * rank, hidden)
        self.last = nn.Linear(self.mlp.width, out * width)
        self.out, self.width = out, width

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, n, d] to [S, n_F, d]."""
        flat_Sf: Tensor = self.last(self.mlp(self.norm(self.products(x_STD).flatten(1))))
        return flat_Sf.reshape(-1, self.out, self.width)


class WukongLayer(nn.Module):
    """`X' = LN( concat(FMB(X), LCB(X)) + X )`, with X projected to n_F + n_L tokens if it has not as many.

    Args:
        tokens, width: n and d.
        rank: k.
        hidden: hidden widths of the MLP in FMB.
        products: n_F, tokens that FMB makes.
        combinations: n_L, tokens that LCB makes.
    """

    def __init__(
        self, tokens: int, width: int, rank: int, hidden: Sequence[int], products: int, combinations: int
    ) -> None:
        super().__init__()
        self.tokens = products + combinations
        self.fmb = FactorizationBlock(tokens, width, rank, hidden, products)
        self.lcb = TokenCombination(tokens, combinations, width)
        same = self.tokens == tokens
        self.residual = nn.Identity() if same else TokenCombination(tokens, self.tokens, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, n, d] to [S, n_F + n_L, d]."""
        made_STD = torch.cat([self.fmb(x_STD), self.lcb(x_STD)], dim=1)
        out: Tensor = self.norm(made_STD + self.residual(x_STD))
        return out
