"""UniMixing-Lite (arXiv 2604.00590): basis-composed local mixing, low-rank global mixing."""

from __future__ import annotations

import torch
from pydantic import Field as Bound
from torch import Tensor, nn

from corank.config import Config
from corank.errors import CorankError
from corank.layers.flops import Flops
from corank.layers.sinkhorn import sinkhorn


class UniMixingLiteConfig(Config):
    """Sizes and constraints of one UniMixing-Lite."""

    block: int = Bound(default=4, ge=1)  # B, channels of a block
    rank: int = Bound(default=16, ge=1)  # r, inner width of the global matrix
    basis: int = Bound(default=2, ge=1)  # b, local matrices shared by all blocks
    symmetric: bool = True
    iterations: int = Bound(default=100, ge=1)  # Sinkhorn scalings
    identity: float = 3.0  # how far the initial local logits lean towards mixing nothing

    def build(self, tokens: int, width: int) -> UniMixingLite:
        """The module for T x D inputs.

        Raises:
            CorankError: B does not divide T * D.
        """
        return UniMixingLite(tokens, width, self)


class UniMixingLite(nn.Module):
    """Mix the channels of T tokens: locally inside blocks of B channels, globally between the N blocks.

        W_B^i = Sinkhorn( sum_l omega_l^i Z_l / tau )        i = 1..N
        W_r   = Sinkhorn( A_G B_G / tau )
        UniMixing-Lite(X) = reshape( W_r [x_1 W_B^1 ; ... ; x_N W_B^N] )

    The matrices do not depend on the input: `matrices()` makes them once for all samples of a step.

    Args:
        tokens: T.
        width: D.
        config: sizes and constraints.

    Attributes:
        tau: temperature, a buffer that training anneals.
    """

    def __init__(self, tokens: int, width: int, config: UniMixingLiteConfig) -> None:
        super().__init__()
        B, r, b = config.block, config.rank, config.basis
        if tokens * width % B:
            raise CorankError(f"unimixing: blocks of {B} do not divide {tokens} tokens x {width} channels")
        N = tokens * width // B
        self.config = config
        self.tau: Tensor
        self.register_buffer("tau", torch.tensor(1.0))
        # Logits of variance 1 (near-zero ones would start as global averaging, with gradients of order 1/N).
        self.a_Nr = nn.Parameter(torch.randn(N, r) * r**-0.25)
        self.b_rN = nn.Parameter(torch.randn(r, N) * r**-0.25)
        self.z_VCC = nn.Parameter(torch.randn(b, B, B) * b**-0.5 + config.identity * torch.eye(B) / b)
        self.omega_NV = nn.Parameter(torch.ones(N, b) + 0.1 * torch.randn(N, b))

    def matrices(self) -> tuple[Tensor, Tensor]:
        """W_r [N, N] and W_B [N, B, B], doubly stochastic."""
        c = self.config
        local_NCC = torch.einsum("nv,vcd->ncd", self.omega_NV, self.z_VCC)
        w_NN = sinkhorn(self.a_Nr @ self.b_rN, self.tau, c.symmetric, c.iterations)
        w_NCC = sinkhorn(local_NCC, self.tau, c.symmetric, c.iterations)
        return w_NN, w_NCC

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        w_NN, w_NCC = (w.to(x_STD.dtype) for w in self.matrices())
        S, (N, B) = x_STD.shape[0], w_NCC.shape[:2]
        h_NSC = torch.bmm(x_STD.reshape(S, N, B).transpose(0, 1), w_NCC)
        o_NSC = (w_NN @ h_NSC.reshape(N, S * B)).reshape(N, S, B)
        return o_NSC.transpose(0, 1).reshape(x_STD.shape)

    def flops(self) -> Flops:
        """`2 N^2 r + 2 N b B^2` a step for the two logits, `2 N B^2 + 2 N^2 B` a sample."""
        (N, r), (b, B, _) = self.a_Nr.shape, self.z_VCC.shape
        return Flops(step=2 * N * N * r + 2 * N * b * B * B, sample=2 * N * B * B + 2 * N * N * B)
