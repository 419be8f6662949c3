"""Doubly stochastic matrices from free parameters (Sinkhorn & Knopp 1967), in the log domain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from corank.layers.scaling import Kernel, balanced, solve
from corank.layers.systems import Full

TOLERANCE = 1e-4
"""How far a row's sum may be from 1; at tau = .05 float32 itself is good for about .00003."""
ITERATIONS = 200
"""Passes over the matrix after which the search for the scalings ends in any case."""


def sinkhorn(
    logits: Tensor,
    tau: Tensor | float = 1.0,
    symmetric: bool = True,
    tolerance: float = TOLERANCE,
    iterations: int = ITERATIONS,
) -> Tensor:
    """`Sinkhorn(logits / tau)`: exponentiate, then scale rows and columns until all sums are 1.

    With `symmetric`, the logits are replaced by `(W + W^T) / 2` and scaled as `D W D`, which keeps the result
    symmetric to the last bit, where alternating rows and columns would not. In the log domain, float32 at
    least, whatever the input's type. (UniMixer, arXiv 2604.00590; notes, section 3.)

    The gradient is that of the fixed point, by the implicit function theorem: nothing is unrolled.

    Args:
        logits: [..., N, N].
        tau: temperature; small makes the matrix sharp.
        symmetric: symmetrise and keep symmetry exact.
        tolerance: stop when every row's sum is this near to 1 ...
        iterations: ... and after so many passes over the matrix in any case.

    Returns:
        [..., N, N], float32 (float64 of float64). Columns sum to 1 up to rounding when not symmetric; what a
        row's sum lacks is told by `row_error`.

    >>> w = sinkhorn(torch.tensor([[1.0, 0.0], [3.0, 1.0]]), tau=1.0, symmetric=True)
    >>> bool(torch.equal(w, w.mT)), row_error(w).item() < 1e-4
    (True, True)
    """
    scaled: Tensor = doubly_stochastic(precise(logits) / tau, symmetric, tolerance, iterations)
    return scaled


def precise(x: Tensor) -> Tensor:
    """In float32 at least: exponentials of numbers divided by a small tau bear no half precision."""
    return x if x.dtype == torch.float64 else x.float()


def symmetrised(w: Tensor) -> Tensor:
    """(W + W^T) / 2: transposed by a copy, which is several times as fast as an addition across the grain."""
    return w.mT.contiguous().add_(w).mul_(0.5)


def row_error(w: Tensor) -> Tensor:
    """The largest distance of a row's sum from 1 [...]."""
    return (w.sum(-1) - 1).abs().amax(-1)


@dataclass(frozen=True)
class LogitKernel(Kernel):
    """A kernel of logits [..., N, N] times a share.

    All passes write to one `work` of the logits' shape: on a CPU new memory costs more than exponentials.
    """

    w: Tensor
    symmetric: bool
    work: Tensor
    share: float = 1.0

    def spread(self) -> float:
        return float(self.w.max() - self.w.min())

    def softened(self, share: float) -> LogitKernel:
        return replace(self, share=share)

    def start(self) -> Tensor:
        row = torch.zeros_like(self.w[..., 0])
        return row if self.symmetric else torch.cat([row, row], -1)

    def log_sums(self, d: Tensor) -> Tensor:
        if self.symmetric:
            return self._log_sums(d.unsqueeze(-2), -1)
        u, v = d.chunk(2, -1)
        return torch.cat([self._log_sums(v.unsqueeze(-2), -1), self._log_sums(u.unsqueeze(-1), -2)], -1)

    def _log_sums(self, d: Tensor, side: int) -> Tensor:
        """logsumexp(share w + d) along a side."""
        x = torch.add(d, self.w, alpha=self.share, out=self.work)
        top = x.amax(side, keepdim=True)
        return x.sub_(top).exp_().sum(side).log_().add_(top.squeeze(side))

    def scaled(self, d: Tensor) -> Tensor:
        """P; overwritten by the next pass."""
        u, v = (d, d) if self.symmetric else d.chunk(2, -1)
        # u_i + v_j first: symmetric to the bit.
        torch.add(u.unsqueeze(-1), v.unsqueeze(-2), out=self.work)
        return self.work.add_(self.w, alpha=self.share).exp_()

    def at(self, d: Tensor) -> Full:
        return Full(self.scaled(d), self.symmetric)


# An operation of its own: `torch.export` and `torch.compile` see one node, not a loop that depends on data.
@torch.library.custom_op("corank::doubly_stochastic", mutates_args=())
def doubly_stochastic(logits: Tensor, symmetric: bool, tolerance: float, iterations: int) -> Tensor:
    """exp(logits), symmetrised before if it is to be symmetric, scaled to sums of 1."""
    with torch.autocast(logits.device.type, enabled=False):
        logits = symmetrised(logits) if symmetric else logits
        kernel = LogitKernel(logits, symmetric, work=torch.empty_like(logits))
        d = solve(kernel, tolerance, iterations)
        if not symmetric:  # the columns to the last bit
            u = d.chunk(2, -1)[0]
            d = torch.cat([u, -kernel.log_sums(d).chunk(2, -1)[1]], -1)
        return kernel.scaled(d)


@doubly_stochastic.register_fake
def _(logits: Tensor, _symmetric: bool, _tolerance: float, _iterations: int) -> Tensor:
    return torch.empty_like(logits)


def _setup(ctx: Any, inputs: tuple[Tensor, bool, float, int], output: Tensor) -> None:
    ctx.save_for_backward(output)
    ctx.symmetric = inputs[1]


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
    """dP_ij = P_ij (dw_ij + du_i + dv_j), with du and dv such that the sums stay 1."""
    (p,) = ctx.saved_tensors
    with torch.autocast(p.device.type, enabled=False):
        along = gradient * p
        rows, columns = along.sum(-1), along.sum(-2)
        if ctx.symmetric:
            x = Full(p, symmetric=True).adjoint(rows + columns)
            return symmetrised(along.addcmul_(p, x.unsqueeze(-1), value=-1)), None, None, None
        a, b = Full(p, symmetric=False).adjoint(balanced(torch.cat([rows, columns], -1))).chunk(2, -1)
        along.addcmul_(p, a.unsqueeze(-1), value=-1).addcmul_(p, b.unsqueeze(-2), value=-1)
        return along, None, None, None


doubly_stochastic.register_autograd(_backward, setup_context=_setup)
