"""The pre-normalised residual block that the attention models share."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn


class TransformerBlock(nn.Module):
    """`H = X + mix(LN(X));  out = H + FFN(LN(H))`.

    Args:
        mix, ffn: each [S, T, D] to [S, T, D].
        width: D.
    """

    PARTS: ClassVar = {"ffn": "feed_forward", "norm_ffn": "feed_forward"}

    def __init__(self, mix: nn.Module, ffn: nn.Module, width: int) -> None:
        super().__init__()
        self.mix, self.ffn = mix, ffn
        self.norm_mix, self.norm_ffn = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        h_STD: Tensor = x_STD + self.mix(self.norm_mix(x_STD))
        out: Tensor = h_STD + self.ffn(self.norm_ffn(h_STD))
        return out
