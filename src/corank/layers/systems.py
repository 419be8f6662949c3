"""The system (diag(r) + P) x = y of a scaled matrix P: for moves of its scalings, and for their gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

DIRECT = 256
"""A matrix of at most so many rows is factorised: dearer than a few products with it, cheaper than many."""
RIDGE = 1e-12
"""Added before (or P's own precision): rows that only exchange with one another leave a direction open."""


class Scaled(ABC):
    """P as it acts on [..., N]; with [u ; v]: [a ; b] -> [P b ; P^T a]."""

    @abstractmethod
    def times(self, x: Tensor) -> Tensor:
        """P x."""

    def solve(self, sums: Tensor, right: Tensor, steps: int, accuracy: float) -> Tensor:
        """x of (diag(sums) + P) x = right, to a relative accuracy, or after so many products."""
        return conjugate_gradients(sums, self.times, right, steps, accuracy)

    def adjoint(self, gradient: Tensor) -> Tensor:
        """x of (diag(r) + P) x = dL/dd at the fixed point: a change dr of the sums there costs dL = -x dr."""
        sums = self.times(torch.ones_like(gradient))
        return self.solve(sums, gradient, 200, 4 * torch.finfo(gradient.dtype).eps)


@dataclass(frozen=True)
class Full(Scaled):
    """P as a matrix [..., N, N]."""

    p: Tensor
    symmetric: bool

    def times(self, x: Tensor) -> Tensor:
        """P x."""
        if self.symmetric:
            return (self.p @ x.unsqueeze(-1)).squeeze(-1)
        a, b = (part.unsqueeze(-1) for part in x.chunk(2, -1))
        return torch.cat([self.p @ b, self.p.mT @ a], -2).squeeze(-1)

    def solve(self, sums: Tensor, right: Tensor, steps: int, accuracy: float) -> Tensor:
        """By Cholesky's factors where it is small and symmetric."""
        if not self.symmetric or self.p.shape[-1] > DIRECT:
            return super().solve(sums, right, steps, accuracy)
        return direct(self.p, right)


def direct(p: Tensor, right: Tensor) -> Tensor:
    """Solve (diag(r) + P) x = right in float64, for P [..., N, N] and its sums r."""
    matrix = p.to(torch.float64, copy=True)
    sums = matrix.sum(-1)  # rounded as P's precision has them, they could leave the matrix without a factor
    matrix.diagonal(dim1=-2, dim2=-1).add_(sums + max(RIDGE, torch.finfo(p.dtype).eps))
    factor, _ = torch.linalg.cholesky_ex(matrix)
    x: Tensor = torch.cholesky_solve(right.to(torch.float64).unsqueeze(-1), factor).squeeze(-1)
    return x.to(right.dtype)


def conjugate_gradients(
    sums: Tensor, times: Callable[[Tensor], Tensor], right: Tensor, steps: int, accuracy: float
) -> Tensor:
    """Solve (diag(sums) + P) x = right, a positive semidefinite system, to a relative accuracy."""
    eps, tiny = torch.finfo(right.dtype).eps, torch.finfo(right.dtype).tiny
    x, residual, direction = torch.zeros_like(right), right, right
    square = _square(right)
    goal = (square * accuracy**2).clamp_min(tiny)
    for step in range(steps):
        open_ = square > goal
        if step % 4 == 0 and not bool(open_.any()):  # asked seldom: a GPU has to wait for it
            break
        image = sums * direction + times(direction)
        curvature = (direction * image).sum(-1, keepdim=True)
        open_ = open_ & (curvature > eps * _square(direction))  # none: only rounding is left
        length = torch.where(open_, square / curvature, 0)
        x = x + length * direction
        residual = residual - length * image
        square, old = _square(residual), square
        direction = residual + torch.where(open_, square / old, 0) * direction
    return x


def _square(x: Tensor) -> Tensor:
    return (x * x).sum(-1, keepdim=True)
