"""AutoInt's interacting layer (Song et al. 2019, arXiv 1810.11921, eq. 5-8)."""

from __future__ import annotations

from torch import Tensor, nn

from corank.layers.attention import Attend, SharedLinear


class InteractingLayer(nn.Module):
    """`ReLU( concat_h sum_k softmax_k(<W_Q^h e_m, W_K^h e_k>) W_V^h e_k + W_Res e_m )`, scores not scaled.

    Args:
        tokens: T, one a field.
        width: D, of the input and of all heads together.
        heads: H.

    Raises:
        CorankError: H does not divide D.
    """

    def __init__(self, tokens: int, width: int, heads: int) -> None:
        super().__init__()
        self.attend = Attend(tokens, width, heads, scaled=False)
        maps = (SharedLinear(tokens, width, width, bias=False) for _ in range(4))
        self.q, self.k, self.v, self.residual = maps

    def forward(self, e_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        mixed_STD: Tensor = self.attend(self.q(e_STD), self.k(e_STD), self.v(e_STD))
        out: Tensor = (mixed_STD + self.residual(e_STD)).relu()
        return out
