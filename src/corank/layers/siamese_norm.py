"""Two residual streams, one normalised after, one before (SiameseNorm, arXiv 2602.08064, UniMixer's form)."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from corank.layers.rms_norm import RMSNorm


class SiameseNorm(nn.Module):
    """Run blocks on a post-normalised stream X and a pre-normalised stream Y that start equal:

        O_l     = Block_l( X_l + RMSNorm(Y_l) )
        X_{l+1} = RMSNorm(X_l + O_l)
        Y_{l+1} = Y_l + O_l
        out     = X_M + RMSNorm(Y_M)

    Args:
        blocks: the M blocks, each [S, T, D] to [S, T, D].
        width: D.
    """

    def __init__(self, blocks: Iterable[nn.Module], width: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.norm_x = nn.ModuleList(RMSNorm(width) for _ in self.blocks)
        self.norm_y = nn.ModuleList(RMSNorm(width) for _ in self.blocks)
        self.norm_out = RMSNorm(width)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        y_STD = x_STD
        for block, norm_x, norm_y in zip(self.blocks, self.norm_x, self.norm_y, strict=True):
            o_STD = block(x_STD + norm_y(y_STD))
            x_STD = norm_x(x_STD + o_STD)
            y_STD = y_STD + o_STD
        out: Tensor = x_STD + self.norm_out(y_STD)
        return out
