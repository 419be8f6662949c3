"""UniMixing-Lite with positive factors: the global matrix itself has rank r, and is never made.

    P = D_1 A B D_2,  A = exp(A_G / tau) in R^{N x r},  B = exp(B_G / tau) in R^{r x N},  doubly stochastic.

Symmetric: A = [F_1 | F_2] and B = [F_2 | F_1]^T, so that A B = F_1 F_2^T + F_2 F_1^T, and one D.

How expressive it is. Such P are the doubly stochastic matrices with positive factors of width r (any such
P = U V is one, with D_1 = D_2 = 1); symmetric ones, those of the form above. The paper's are those whose
logarithm has rank r, up to terms u_i + v_j; their rank is full. Neither set holds the other. A P of rank r
mixes through r channels. It is at least sqrt(N - r) from every permutation in Frobenius norm (Eckart-Young),
which averages within r groups of blocks attain; the paper's come as near as one likes, even with r = 1
(logits c x_i x_j are -c (x_i - x_j)^2 / 2 up to u_i + v_j). What a block keeps of itself is left to the
residual beside the mixing.
"""

from __future__ import annotations

import math

import torch
from pydantic import Field as Bound
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers.factored import factored_sinkhorn
from corank.layers.flops import Flops
from corank.layers.leaning import LEAN, Init
from corank.layers.mixing import Mixing, MixingConfig
from corank.layers.operators import Factored
from corank.layers.patterns import GlobalPattern, Learned, MixingShape, Pattern
from corank.layers.sinkhorn import precise
from corank.layers.unimixing import Constraint, Scaling
from corank.layers.unimixing_lite import BasisLocal


class FactoredGlobal(GlobalPattern):
    """`P = D_1 exp(A_G / tau) exp(B_G / tau) D_2`, of rank r: N r numbers, 2 N r if not symmetric."""

    scaling: Scaling = Scaling()
    rank: int = Bound(default=16, ge=1)  # r

    def build(self, shape: MixingShape) -> Pattern:
        """The module.

        Raises:
            CorankError: it is symmetric and r is odd.
        """
        return _FactoredGlobal(shape, self)


class _FactoredGlobal(Learned):
    def __init__(self, shape: MixingShape, pattern: FactoredGlobal) -> None:
        super().__init__()
        self.scaling, N, r = pattern.scaling, shape.blocks, pattern.rank
        if self.scaling.symmetric and r % 2:
            raise CorankError(f"unimixing: a symmetric factored matrix has an even rank, found {r}")
        # So that a sum of r terms exp(N(0, 2 s^2)) varies as exp(N(0, 1)), the paper's entries, for every r.
        spread = math.sqrt(math.log(1 + r * (math.e - 1)) / 2)
        self.a_Nr = nn.Parameter(torch.randn(N, r) * spread)
        if not self.scaling.symmetric:
            self.b_rN = nn.Parameter(torch.randn(r, N) * spread)

    def matrices(self, tau: Tensor) -> tuple[Tensor, ...]:
        s = self.scaling
        log_a = precise(self.a_Nr) / tau
        log_b = log_a.roll(log_a.shape[1] // 2, 1).t() if s.symmetric else precise(self.b_rN) / tau
        return factored_sinkhorn(log_a, log_b, s.symmetric, s.tolerance, s.iterations)

    def flops(self, columns: int) -> Flops:
        """`4 N r C` a sample."""
        return Flops(sample=4 * self.a_Nr.numel() * columns)

    @staticmethod
    def use(_x_SNC: Tensor, matrices: tuple[Tensor, ...]) -> Factored:
        return Factored(*matrices)


class UniMixingFactoredConfig(Scaling, MixingConfig):
    """One UniMixing-Lite with positive factors: N r (symmetric) or 2 N r, + b B^2 + N b parameters."""

    block: int = Bound(default=4, ge=1)  # B, channels of a block
    rank: int = Bound(default=16, ge=1)  # r, of the global matrix; even if it is symmetric
    basis: int = Bound(default=2, ge=1)  # b, local matrices shared by all blocks
    global_init: Init = "normal"
    local_init: Init = "identity"
    lean: float = LEAN

    def build(self, tokens: int, width: int) -> Mixing:
        """The module for T x D inputs.

        Raises:
            CorankError: B does not divide T * D, the rank is odd, or the global matrix is to lean.
        """
        if self.global_init != "normal":
            raise CorankError(
                f"unimixing: a factored matrix of rank {self.rank} cannot lean to a permutation of "
                f"{tokens * width // self.block} blocks: expected global_init normal, not {self.global_init}"
            )
        local = Constraint(symmetric=self.symmetric, tolerance=self.tolerance, iterations=self.iterations)
        p = FactoredGlobal(scaling=self, rank=self.rank)
        w_b = BasisLocal(constraint=local, basis=self.basis, init=self.local_init, lean=self.lean)
        return Mixing(tokens, width, p, w_b, self.block)
