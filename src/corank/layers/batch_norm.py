"""Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167) that also trains on a batch of one row."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """`y = w * (x - mean) / sqrt(variance + eps) + b`, a mean and a variance a column, over the rows.

    In training they are the batch's, and running estimates of them are kept; these serve outside training,
    and for a batch of one row, which has no variance.

    Args:
        width: columns.
        momentum: share of a batch in the running estimates.
        eps: added to the variance.
    """

    def __init__(self, width: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))
        self.mean: Tensor
        self.variance: Tensor
        self.momentum, self.eps = momentum, eps

    def forward(self, x_nD: Tensor) -> Tensor:
        """[n, width] to [n, width]."""
        own = self.training and x_nD.shape[0] > 1
        return F.batch_norm(
            x_nD, self.mean, self.variance, self.weight, self.bias, own, self.momentum, self.eps
        )
