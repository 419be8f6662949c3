"""The residual streams that SiameseNorm is measured against: normalised before each block, or after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from torch import Tensor, nn

from corank.layers.rms_norm import RMSNorm
from corank.layers.siamese_norm import SiameseNorm

Norm = Literal["siamese", "pre", "post"]


class PreNorm(nn.Module):
    """`X_{l+1} = X_l + Block_l( RMSNorm(X_l) )`, out = RMSNorm(X_M).

    Args:
        blocks: the M blocks, each [S, T, D] to [S, T, D].
        width: D.
    """

    def __init__(self, blocks: Iterable[nn.Module], width: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.norms = nn.ModuleList(RMSNorm(width) for _ in self.blocks)
        self.norm_out = RMSNorm(width)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x_STD = x_STD + block(norm(x_STD))
        out: Tensor = self.norm_out(x_STD)
        return out


class PostNorm(nn.Module):
    """`X_{l+1} = RMSNorm( X_l + Block_l(X_l) )`, out = X_M.

    Args:
        blocks: the M blocks, each [S, T, D] to [S, T, D].
        width: D.
    """

    def __init__(self, blocks: Iterable[nn.Module], width: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.norms = nn.ModuleList(RMSNorm(width) for _ in self.blocks)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x_STD = norm(x_STD + block(x_STD))
        return x_STD


def residual(norm: Norm, blocks: Iterable[nn.Module], width: int) -> SiameseNorm | PreNorm | PostNorm:
    """The blocks in their residual streams."""
    kinds: dict[Norm, type[SiameseNorm | PreNorm | PostNorm]]
    kinds = {"siamese": SiameseNorm, "pre": PreNorm, "post": PostNorm}
    return kinds[norm](blocks, width)
