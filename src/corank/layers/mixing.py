"""One module for every way of mixing blocks of channels (UniMixer, arXiv 2604.00590, the unified view)."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from corank.config import Config
from corank.layers.flops import Flops
from corank.layers.patterns import Folded, GlobalPattern, Learned, LocalPattern, MixingShape


class MixingConfig(Config, ABC):
    """A pair of patterns in one flat configuration, as models use them."""

    @abstractmethod
    def build(self, tokens: int, width: int) -> Mixing:
        """The module for T x D inputs.

        Raises:
            CorankError: the sizes do not fit one another.
        """


class Mixing(nn.Module):
    """`out = reshape( G(X) local(X) )`, X flattened and cut into N blocks of B channels.

    | family | `global_pattern` | `local_pattern` | B |
    |---|---|---|---|
    | self-attention | `Attention()` | `Projection()` | D |
    | heterogeneous attention | `Attention(token_specific=True)` | `Projection(token_specific=True)` | D |
    | TokenMixer | `TokenPermutation(heads=H)` | `Identity()` | D / H or a divisor |
    | FM | `Gram()` | `Free(columns=k)` | D |
    | UniMixing | `LearnedGlobal()` | `LearnedLocal()` | any that divides T D |

    Args:
        tokens: T.
        width: D.
        global_pattern, local_pattern: what G and local are.
        block: B; D if not given.

    Attributes:
        tau: temperature of learned patterns, a buffer that training anneals.

    Raises:
        CorankError: B does not divide T * D, or a pattern cannot be had at this shape.
    """

    def __init__(
        self,
        tokens: int,
        width: int,
        global_pattern: GlobalPattern,
        local_pattern: LocalPattern,
        block: int | None = None,
    ) -> None:
        super().__init__()
        shape = MixingShape(tokens, width, width if block is None else block)
        self.shape, self.out_tokens = shape, global_pattern.out_tokens(shape)
        self.out_block = local_pattern.out_block(shape)
        self.G = global_pattern.build(shape)
        self.local = local_pattern.build(shape)
        self.tau: Tensor
        self.register_buffer("tau", torch.tensor(1.0))

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]; to [S, H, T * D / H] by H heads, to [S, T, k] by k columns."""
        S, N, T = x_STD.shape[0], self.shape.blocks, self.out_tokens
        x_SNC = x_STD.reshape(S, N, self.shape.block)
        o_SNC: Tensor = self.G(x_SNC, self.tau) @ self.local(x_SNC, self.tau)
        return o_SNC.reshape(S, T, N * self.out_block // T)

    def flops(self) -> Flops:
        """Those of the two patterns; Sinkhorn's scalings are no products, and do not count."""
        return self.G.flops(self.out_block) + self.local.flops(self.out_block)

    def fold(self) -> None:
        """Turn learned matrices into constants, for inference: no Sinkhorn, no temperature from here on."""
        if isinstance(self.G, Learned):
            self.G = Folded(self.G, self.tau, self.out_block)
        if isinstance(self.local, Learned):
            self.local = Folded(self.local, self.tau, self.out_block)

    @torch.no_grad()
    def matrix(self) -> Tensor | None:
        """G [N, N] in full, at the present temperature; None if it depends on the input."""
        if not isinstance(self.G, Learned | Folded):
            return None
        operator = self.G(torch.empty(0), self.tau)
        full: Tensor = operator.full()
        return full

    @torch.no_grad()
    def row_error(self) -> float | None:
        """How far a row of G is from a sum of 1, at the present temperature; None if none is to be scaled."""
        if not isinstance(self.G, Learned) or not self.G.scaled:
            return None
        ones_1N1 = self.tau.new_ones(1, self.shape.blocks, 1)
        sums_1N1: Tensor = self.G(torch.empty(0), self.tau) @ ones_1N1
        return (sums_1N1 - 1).abs().max().item()

    @torch.no_grad()
    def local_matrices(self) -> Tensor | None:
        """W_B [N, B, B] ([1, B, B] if all blocks share one), at the present temperature; None if not learned.

        An entry (a, b) is what channel b of the result has of channel a: rows multiply from the left.
        """
        if not isinstance(self.local, Learned | Folded):
            return None
        (w_NCC,) = self.local.matrices(self.tau)
        return w_NCC
