"""Doubly stochastic matrices from free parameters (Sinkhorn & Knopp 1967), in the log domain."""

from __future__ import annotations

import torch
from torch import Tensor

GRADIENT_STEPS = 20
"""Scalings that gradients pass through; those before them only find the fixed point."""


def sinkhorn(logits: Tensor, tau: Tensor | float, symmetric: bool, iterations: int = 100) -> Tensor:
    """`Sinkhorn(logits / tau)`: exponentiate, then scale rows and columns until all sums are 1.

    With `symmetric`, the logits are replaced by `(W + W^T) / 2` and scaled as `D W D`, d <- sqrt(d / (W d)),
    which keeps the result symmetric to the last bit, where alternating rows and columns would not. All in
    float32 and in the log domain, whatever the input's type. (UniMixer, arXiv 2604.00590; notes, section 3.)

    The first scalings only find the fixed point, without a graph; the last `GRADIENT_STEPS` of them carry the
    gradient, which is the fixed point's own up to a factor that shrinks geometrically with their number.

    Args:
        logits: [..., N, N].
        tau: temperature; small makes the matrix sharp.
        symmetric: symmetrise and keep symmetry exact.
        iterations: number of scalings; convergence slows as tau falls.

    Returns:
        [..., N, N], float32. Columns sum to 1 up to rounding when not symmetric; how far the sums of a row
        still are from 1 is what `row_error` tells.

    >>> w = sinkhorn(torch.tensor([[1.0, 0.0], [3.0, 1.0]]), tau=1.0, symmetric=True)
    >>> bool(torch.equal(w, w.mT)), round(row_error(w).item(), 5)
    (True, 0.0)
    """
    w = logits.float()
    if symmetric:
        w = (w + w.mT) / 2
    w = w / tau
    scale = _scale_symmetric if symmetric else _scale
    start = torch.zeros_like(w[..., 0])
    with torch.no_grad():
        start = scale(w, start, iterations - GRADIENT_STEPS)[1]
    rows, columns = scale(w, start, min(iterations, GRADIENT_STEPS))
    return torch.exp(w + (rows.unsqueeze(-1) + columns.unsqueeze(-2)))


def _scale_symmetric(w: Tensor, d: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """Log scalings of rows and of columns, which are one."""
    for _ in range(iterations):
        d = (d - torch.logsumexp(w + d.unsqueeze(-2), dim=-1)) / 2
    return d, d


def _scale(w: Tensor, columns: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """Log scalings of rows and of columns, the columns last."""
    rows = torch.zeros_like(columns)
    for _ in range(iterations):
        rows = -torch.logsumexp(w + columns.unsqueeze(-2), dim=-1)
        columns = -torch.logsumexp(w + rows.unsqueeze(-1), dim=-2)
    return rows, columns


def row_error(w: Tensor) -> Tensor:
    """The largest distance of a row's sum from 1 [...]."""
    return (w.sum(-1) - 1).abs().amax(-1)
