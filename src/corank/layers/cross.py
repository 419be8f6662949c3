"""The cross network of DCN-V2 (Wang et al. 2021, arXiv 2008.13535, eq. 1-2)."""

from __future__ import annotations

from torch import Tensor, nn


class CrossNetwork(nn.Module):
    """`x_{l+1} = x_0 * (W_l x_l + b_l) + x_l`: each layer raises the degree of the interactions by one.

    Args:
        width: width of x.
        layers: number of layers.
        rank: W_l = U_l V_l with this inner width; None: W_l is full.
    """

    def __init__(self, width: int, layers: int, rank: int | None = None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Linear(width, width)
            if rank is None
            else nn.Sequential(nn.Linear(width, rank, bias=False), nn.Linear(rank, width))
            for _ in range(layers)
        )

    def forward(self, x0_SE: Tensor) -> Tensor:
        """[S, width] to [S, width]."""
        x_SE = x0_SE
        for layer in self.layers:
            x_SE = x0_SE * layer(x_SE) + x_SE
        return x_SE
