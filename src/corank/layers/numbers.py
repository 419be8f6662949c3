"""Numbers as vectors: a learned piecewise linear curve for each field (Gorishniy et al. 2022, PLE)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from corank.layers.flops import Flops


class NumberEmbedding(nn.Module):
    """Embed F numbers of 0..1 as F vectors of one width.

    The unit interval is cut into L equal bins; bin l is filled to clamp(L * x - l, 0, 1). The vector of a
    field is a linear map of its L fillings, so each coordinate is a piecewise linear function of x. A missing
    number (NaN) has a vector of its own. Features scale numbers by training quantiles, so the bins are
    equally filled.

    Args:
        fields: number of fields F.
        width: width of each vector.
        bins: L.
    """

    def __init__(self, fields: int, width: int, bins: int = 16) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(fields, bins, width) * bins**-0.5 * 0.5)
        self.bias = nn.Parameter(torch.zeros(fields, width))
        self.missing = nn.Parameter(torch.randn(fields, width) * 0.1)
        self.register_buffer("bin_L", torch.arange(bins, dtype=torch.float32), persistent=False)
        self.bin_L: Tensor

    def forward(self, x_SF: Tensor) -> Tensor:
        """[S, F] (NaN where missing) to [S, F, width]."""
        absent_SF = torch.isnan(x_SF)
        scaled_SF = torch.nan_to_num(x_SF) * len(self.bin_L)
        filled_SFL = (scaled_SF.unsqueeze(-1) - self.bin_L).clamp(0, 1)
        present = torch.einsum("sfl,fld->sfd", filled_SFL, self.weight) + self.bias
        return torch.where(absent_SF.unsqueeze(-1), self.missing, present)

    def flops(self) -> Flops:
        """`2 F L` times the width, for every row of numbers."""
        return Flops(sample=2 * self.weight.numel())
