"""Doubly stochastic matrices of low rank, scaled through their factors: nothing N x N is ever made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from corank.layers.scaling import Kernel, balanced, solve
from corank.layers.sinkhorn import ITERATIONS, TOLERANCE
from corank.layers.systems import Scaled


def factored_sinkhorn(
    log_a: Tensor,
    log_b: Tensor,
    symmetric: bool = False,
    tolerance: float = TOLERANCE,
    iterations: int = ITERATIONS,
) -> tuple[Tensor, Tensor]:
    """`D_1 A B D_2` with A = exp(log_a), B = exp(log_b) and all sums of rows and columns 1, as two factors.

    A pass over the matrix is two over the factors: 4 N r exponentials, or multiplications, in place of 2 N^2.
    In the log domain; the gradient is that of the fixed point.

    Args:
        log_a: [N, r], float32 or float64.
        log_b: [r, N].
        symmetric: A B is symmetric, and D_1 = D_2.
        tolerance, iterations: as `corank.layers.sinkhorn.sinkhorn`.

    Returns:
        [N, r] and [r, N], positive; the rows of the second sum to 1 (how the sizes of two factors are shared
        between them is free).

    >>> left, right = factored_sinkhorn(torch.randn(6, 2), torch.randn(2, 6))
    >>> [bool(((left @ right).sum(side) - 1).abs().max() < 1e-4) for side in (0, 1)]
    [True, True]
    """
    left, right = factored_doubly_stochastic(log_a, log_b, symmetric, tolerance, iterations)
    return left, right


@dataclass(frozen=True)
class FactorKernel(Kernel):
    """The kernel of logits log(A B)."""

    log_a: Tensor
    log_b: Tensor
    symmetric: bool

    def spread(self) -> float:
        return sum(float(x.max() - x.min()) for x in (self.log_a, self.log_b))

    def softened(self, share: float) -> FactorKernel:
        return FactorKernel(self.log_a * share, self.log_b * share, self.symmetric) if share != 1 else self

    def start(self) -> Tensor:
        n = len(self.log_a)
        return self.log_a.new_zeros(n if self.symmetric else 2 * n)

    def log_sums(self, d: Tensor) -> Tensor:
        u_N, v_N = (d, d) if self.symmetric else d.chunk(2)
        rows_N = torch.logsumexp(self.log_a + torch.logsumexp(self.log_b + v_N, 1), 1)
        if self.symmetric:
            return rows_N
        inner_r1 = torch.logsumexp(self.log_a + u_N.unsqueeze(1), 0).unsqueeze(1)
        return torch.cat([rows_N, torch.logsumexp(self.log_b + inner_r1, 0)])

    def scaled(self, d: Tensor) -> tuple[Tensor, Tensor]:
        """The factors of P, the rows of the second summing to 1."""
        u_N, v_N = (d, d) if self.symmetric else d.chunk(2)
        share_r = torch.logsumexp(self.log_b + v_N, 1)
        left_Nr = torch.exp(self.log_a + u_N.unsqueeze(1) + share_r)
        return left_Nr, torch.exp(self.log_b + v_N - share_r.unsqueeze(1))

    def at(self, d: Tensor) -> Product:
        return Product(*self.scaled(d), self.symmetric)


@dataclass(frozen=True)
class Product(Scaled):
    """P as two factors."""

    left_Nr: Tensor
    right_rN: Tensor
    symmetric: bool

    def times(self, x: Tensor) -> Tensor:
        if self.symmetric:
            return self.left_Nr @ (self.right_rN @ x)
        a_N, b_N = x.chunk(2)
        return torch.cat([self.left_Nr @ (self.right_rN @ b_N), (a_N @ self.left_Nr) @ self.right_rN])


@torch.library.custom_op("corank::factored_doubly_stochastic", mutates_args=())
def factored_doubly_stochastic(
    log_a: Tensor, log_b: Tensor, symmetric: bool, tolerance: float, iterations: int
) -> tuple[Tensor, Tensor]:
    """exp(log_a) exp(log_b) scaled to sums of 1, as two factors."""
    with torch.autocast(log_a.device.type, enabled=False):
        kernel = FactorKernel(log_a, log_b, symmetric)
        return kernel.scaled(solve(kernel, tolerance, iterations))


@factored_doubly_stochastic.register_fake
def _(
    log_a: Tensor, log_b: Tensor, _symmetric: bool, _tolerance: float, _iterations: int
) -> tuple[Tensor, Tensor]:
    return torch.empty_like(log_a), torch.empty_like(log_b)


def _setup(ctx: Any, inputs: tuple[Tensor, Tensor, bool, float, int], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*output)
    ctx.symmetric = inputs[2]


def _backward(ctx: Any, of_left: Tensor, of_right: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
    """d left_ik = left_ik (da_ik + du_i), d right_kj = right_kj (db_kj + dv_j), the sums staying 1.

    How the size of a product is shared between its factors is a convention, and counts as constant.
    """
    left_Nr, right_rN = ctx.saved_tensors
    with torch.autocast(left_Nr.device.type, enabled=False):
        of_a, of_b = of_left * left_Nr, of_right * right_rN
        rows_N, columns_N = of_a.sum(1), of_b.sum(0)
        p = Product(left_Nr, right_rN, ctx.symmetric)
        if ctx.symmetric:
            a_N = p.adjoint(rows_N + columns_N)
            b_N = torch.zeros_like(a_N)
        else:
            a_N, b_N = p.adjoint(balanced(torch.cat([rows_N, columns_N]))).chunk(2)
        of_a -= left_Nr * (a_N.unsqueeze(1) * right_rN.sum(1) + right_rN @ b_N)
        of_b -= right_rN * ((a_N @ left_Nr).unsqueeze(1) + left_Nr.sum(0).unsqueeze(1) * b_N)
        return of_a, of_b, None, None, None


factored_doubly_stochastic.register_autograd(_backward, setup_context=_setup)
