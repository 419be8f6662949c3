"""UniMixing (arXiv 2604.00590): one learned matrix between blocks, one inside each."""

from __future__ import annotations

import torch
from pydantic import Field as Bound
from torch import Tensor, nn

from corank.config import Config
from corank.layers.flops import Flops
from corank.layers.leaning import LEAN, Init, bias, order, square
from corank.layers.mixing import Mixing, MixingConfig
from corank.layers.operators import Dense, blockwise
from corank.layers.patterns import GlobalPattern, Learned, LocalPattern, MixingShape, Pattern
from corank.layers.sinkhorn import ITERATIONS, TOLERANCE, sinkhorn


class Scaling(Config):
    """How doubly stochastic matrices are made."""

    symmetric: bool = True
    tolerance: float = Bound(default=TOLERANCE, gt=0)  # of a row's sum
    iterations: int = Bound(default=ITERATIONS, ge=1)  # passes over a matrix at most


class Constraint(Scaling):
    """What becomes of parameters W: `Sinkhorn( (W + W^T) / 2 / tau )`, each part of which can be left out.

    Without `sinkhorn` there is no temperature either: W is used as it is, or as (W + W^T) / 2.
    """

    sinkhorn: bool = True

    def apply(self, w: Tensor, tau: Tensor) -> Tensor:
        """[..., n, n] to [..., n, n], float32."""
        if self.sinkhorn:
            return sinkhorn(w, tau, self.symmetric, self.tolerance, self.iterations)
        return (w + w.mT) / 2 if self.symmetric else w


class LearnedGlobal(GlobalPattern):
    """`W_G = Sinkhorn( (W + W^T) / 2 / tau )`, N x N."""

    constraint: Constraint = Constraint()
    init: Init = "normal"
    lean: float = LEAN  # log-odds, at first, of the entry leant to against the rest of its row

    def build(self, shape: MixingShape) -> Pattern:
        """The module."""
        return _LearnedGlobal(shape, self)


class _LearnedGlobal(Learned):
    def __init__(self, shape: MixingShape, pattern: LearnedGlobal) -> None:
        super().__init__()
        self.constraint, self.scaled = pattern.constraint, pattern.constraint.sinkhorn
        target_N = order(pattern.init, shape)
        self.w_NN = nn.Parameter(square(shape.blocks, target_N, pattern.lean, self.constraint.sinkhorn))

    def matrices(self, tau: Tensor) -> tuple[Tensor, ...]:
        return (self.constraint.apply(self.w_NN, tau),)

    def flops(self, columns: int) -> Flops:
        return Flops(sample=2 * self.w_NN.numel() * columns)

    @staticmethod
    def use(_x_SNC: Tensor, matrices: tuple[Tensor, ...]) -> Dense:
        return Dense(*matrices)


class LearnedLocal(LocalPattern):
    """`W_B^i = Sinkhorn( (W^i + W^i^T) / 2 / tau )`, B x B, one a block, or one for all (`shared`)."""

    constraint: Constraint = Constraint()
    shared: bool = False
    init: Init = "identity"
    lean: float = LEAN

    def build(self, shape: MixingShape) -> Pattern:
        """The module."""
        return _LearnedLocal(shape, self)


class _LearnedLocal(Learned):
    def __init__(self, shape: MixingShape, pattern: LearnedLocal) -> None:
        super().__init__()
        self.constraint, self.shape, B = pattern.constraint, shape, shape.block
        w_NCC = torch.randn(1 if pattern.shared else shape.blocks, B, B)
        raw = not self.constraint.sinkhorn
        w_NCC = w_NCC * B**-0.5 if raw else w_NCC
        if pattern.init != "normal":  # the local pattern of the permutation is the identity too
            w_NCC = w_NCC + (1.0 if raw else bias(pattern.lean, B)) * torch.eye(B)
        self.w_NCC = nn.Parameter(w_NCC)

    def matrices(self, tau: Tensor) -> tuple[Tensor, ...]:
        return (self.constraint.apply(self.w_NCC, tau),)

    def flops(self, columns: int) -> Flops:
        return Flops(sample=2 * self.shape.blocks * self.shape.block * columns)

    @staticmethod
    def use(x_SNC: Tensor, matrices: tuple[Tensor, ...]) -> Tensor:
        (w_NCC,) = matrices
        return x_SNC @ w_NCC[0].to(x_SNC.dtype) if len(w_NCC) == 1 else blockwise(x_SNC, w_NCC)


class UniMixingConfig(Constraint, MixingConfig):
    """One UniMixing: `reshape( W_G [x_1 W_B^1 ; ... ; x_N W_B^N] )`, with N^2 + N B^2 parameters."""

    block: int = Bound(default=4, ge=1)  # B, channels of a block
    shared_local: bool = False  # one W_B for all blocks
    global_init: Init = "permutation"
    local_init: Init = "identity"
    lean: float = LEAN

    def build(self, tokens: int, width: int) -> Mixing:
        """The module for T x D inputs.

        Raises:
            CorankError: B does not divide T * D.
        """
        w_g = LearnedGlobal(constraint=self, init=self.global_init, lean=self.lean)
        w_b = LearnedLocal(constraint=self, shared=self.shared_local, init=self.local_init, lean=self.lean)
        return Mixing(tokens, width, w_g, w_b, self.block)
