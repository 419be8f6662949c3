"""Vectors given with an item or a request (of its text, its image): projected, or told as missing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from corank.layers.flops import Flops, flops_of


class GivenVector(nn.Module):
    """`W x + b`, or a learned vector where x is missing. x itself is an input and is not trained.

    Args:
        dim: length of x.
        width: length of the result.
    """

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(dim, width)
        self.missing = nn.Parameter(torch.randn(width) * 0.1)

    def forward(self, x_nE: Tensor) -> Tensor:
        """[n, dim] (NaN where missing) to [n, width]."""
        absent_n1 = torch.isnan(x_nE).any(1, keepdim=True)
        return torch.where(absent_n1, self.missing, self.project(torch.nan_to_num(x_nE)))

    def flops(self) -> Flops:
        """Of the projection, for every row, missing or not."""
        return flops_of(self.project)
