"""UniMixing-Lite (arXiv 2604.00590): basis-composed local mixing, low-rank global logits."""

from __future__ import annotations

import torch
from pydantic import Field as Bound
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers.flops import Flops
from corank.layers.leaning import LEAN, Init, bias, order, product
from corank.layers.mixing import Mixing, MixingConfig
from corank.layers.operators import Dense, blockwise
from corank.layers.patterns import GlobalPattern, Learned, LocalPattern, MixingShape, Pattern
from corank.layers.sinkhorn import precise
from corank.layers.unimixing import Constraint


class LowRankGlobal(GlobalPattern):
    """`W_r = Sinkhorn( A_G B_G / tau )`: logits of rank r, a matrix of full rank made in full."""

    constraint: Constraint = Constraint()
    rank: int = Bound(default=16, ge=1)  # r
    init: Init = "normal"
    lean: float = LEAN

    def build(self, shape: MixingShape) -> Pattern:
        """The module.

        Raises:
            CorankError: logits of this rank cannot lean to a permutation.
        """
        return _LowRankGlobal(shape, self)


class _LowRankGlobal(Learned):
    def __init__(self, shape: MixingShape, pattern: LowRankGlobal) -> None:
        super().__init__()
        self.constraint, N = pattern.constraint, shape.blocks
        self.scaled = self.constraint.sinkhorn
        if not pattern.constraint.sinkhorn and pattern.init != "normal":
            raise CorankError(
                "unimixing: without Sinkhorn the matrix is A_G B_G itself, and init must be normal"
            )
        a_Nr, b_rN = product(N, pattern.rank, order(pattern.init, shape), pattern.lean)
        scale = 1.0 if self.constraint.sinkhorn else N**-0.25
        self.a_Nr, self.b_rN = nn.Parameter(a_Nr * scale), nn.Parameter(b_rN * scale)

    def matrices(self, tau: Tensor) -> tuple[Tensor, ...]:
        with torch.autocast(self.a_Nr.device.type, enabled=False):  # a small tau magnifies rounding
            return (self.constraint.apply(precise(self.a_Nr) @ precise(self.b_rN), tau),)

    def flops(self, columns: int) -> Flops:
        """`2 N^2 r` a step for the logits, `2 N^2 C` a sample."""
        N, r = self.a_Nr.shape
        return Flops(step=2 * N * N * r, sample=2 * N * N * columns)

    @staticmethod
    def use(_x_SNC: Tensor, matrices: tuple[Tensor, ...]) -> Dense:
        return Dense(*matrices)


class BasisLocal(LocalPattern):
    """`W_B^i = Sinkhorn( sum_l omega_l^i Z_l / tau )`, Z_l (B x B) shared by all blocks; omega is raw."""

    constraint: Constraint = Constraint()
    basis: int = Bound(default=2, ge=1)  # b
    init: Init = "identity"
    lean: float = LEAN

    def build(self, shape: MixingShape) -> Pattern:
        """The module."""
        return _BasisLocal(shape, self)


class _BasisLocal(Learned):
    def __init__(self, shape: MixingShape, pattern: BasisLocal) -> None:
        super().__init__()
        self.constraint, B, b = pattern.constraint, shape.block, pattern.basis
        raw = not self.constraint.sinkhorn
        z_VCC = torch.randn(b, B, B) * (b * B if raw else b) ** -0.5
        if pattern.init != "normal":  # the local pattern of the permutation is the identity too
            z_VCC = z_VCC + (1.0 if raw else bias(pattern.lean, B)) * torch.eye(B) / b
        self.z_VCC = nn.Parameter(z_VCC)
        self.omega_NV = nn.Parameter(torch.ones(shape.blocks, b) + 0.1 * torch.randn(shape.blocks, b))

    def matrices(self, tau: Tensor) -> tuple[Tensor, ...]:
        with torch.autocast(self.z_VCC.device.type, enabled=False):
            w_NCC = torch.einsum("nv,vcd->ncd", precise(self.omega_NV), precise(self.z_VCC))
            return (self.constraint.apply(w_NCC, tau),)

    def flops(self, columns: int) -> Flops:
        """`2 N b B^2` a step for the logits, `2 N B^2` a sample."""
        N, B = len(self.omega_NV), self.z_VCC.shape[-1]
        return Flops(step=2 * N * self.z_VCC.numel(), sample=2 * N * B * columns)

    @staticmethod
    def use(x_SNC: Tensor, matrices: tuple[Tensor, ...]) -> Tensor:
        return blockwise(x_SNC, *matrices)


class UniMixingLiteConfig(Constraint, MixingConfig):
    """One UniMixing-Lite: `reshape( W_r [x_1 W_B^1 ; ...] )`, with 2 N r + b B^2 + N b parameters."""

    block: int = Bound(default=4, ge=1)  # B, channels of a block
    rank: int = Bound(default=16, ge=1)  # r, inner width of the global logits
    basis: int = Bound(default=2, ge=1)  # b, local matrices shared by all blocks
    global_init: Init = "permutation"
    local_init: Init = "identity"
    lean: float = LEAN

    def build(self, tokens: int, width: int) -> Mixing:
        """The module for T x D inputs.

        Raises:
            CorankError: B does not divide T * D, or logits of rank r cannot lean to a permutation.
        """
        w_r = LowRankGlobal(constraint=self, rank=self.rank, init=self.global_init, lean=self.lean)
        w_b = BasisLocal(constraint=self, basis=self.basis, init=self.local_init, lean=self.lean)
        return Mixing(tokens, width, w_r, w_b, self.block)
