"""How sparse and how rich mixing matrices and hidden states are, each in one number."""

from __future__ import annotations

import torch
from torch import Tensor

SPARSE = 10
"""An entry counts as empty below 1 / (SPARSE N): a tenth of what an even row would hold."""


def shares(w: Tensor) -> Tensor:
    """[..., M, N], rows of |w| scaled to sums of 1: how much of a row comes from each column."""
    w = w.double().abs()
    return w / w.sum(-1, keepdim=True).clamp_min(torch.finfo(w.dtype).tiny)


def sparsity(w: Tensor) -> Tensor:
    """The share of entries whose share of their row is below 1 / (10 N) [...].

    >>> float(sparsity(torch.eye(4))), float(sparsity(torch.ones(4, 4)))
    (0.75, 0.0)
    """
    return (shares(w) < 1 / (SPARSE * w.shape[-1])).double().mean((-2, -1))


def sources(w: Tensor) -> Tensor:
    """From how many columns a row comes, the mean of exp(entropy) over rows [...].

    >>> float(sources(torch.eye(4))), round(float(sources(torch.ones(4, 4))), 6)
    (1.0, 4.0)
    """
    p = shares(w)
    return torch.exp(-torch.xlogy(p, p).sum(-1)).mean(-1)


def effective_rank(w: Tensor) -> Tensor:
    """exp(entropy) of the singular values scaled to a sum of 1 [...] (Roy and Vetterli 2007).

    >>> round(float(effective_rank(torch.eye(4))), 6), round(float(effective_rank(torch.ones(4, 4))), 6)
    (4.0, 1.0)
    """
    w = w.double()
    if w.shape[-1] == w.shape[-2] and torch.equal(w, w.mT):  # several times as fast
        return rank_of(torch.linalg.eigvalsh(w).abs())
    return rank_of(torch.linalg.svdvals(w))


def rank_of(singular: Tensor) -> Tensor:
    """The effective rank of a matrix with these singular values [..., k]; 0 where all are 0."""
    total = singular.sum(-1, keepdim=True)
    p = singular / total.clamp_min(torch.finfo(singular.dtype).tiny)
    return torch.where(total.squeeze(-1) > 0, torch.exp(-torch.xlogy(p, p).sum(-1)), 0.0)


def kept(w: Tensor) -> Tensor:
    """How much of a row comes from the column of its own number, the mean over rows [...]."""
    return shares(w).diagonal(dim1=-2, dim2=-1).mean(-1)


def concentration(x: Tensor) -> Tensor:
    """Sparsity of vectors [..., n]: 0 if all sizes are equal, 1 if only one number is not 0 (Hoyer 2004).

    `(sqrt(n) - |x|_1 / |x|_2) / (sqrt(n) - 1)`; NaN for a vector of zeros, or of one number.

    >>> concentration(torch.tensor([[1.0, -1.0], [0.0, 3.0]])).round(decimals=6).tolist()
    [0.0, 1.0]
    """
    x = x.double()
    root: float = x.shape[-1] ** 0.5
    ratio = x.abs().sum(-1) / x.square().sum(-1).sqrt()
    return (root - ratio) / (root - 1 if root > 1 else float("nan"))
