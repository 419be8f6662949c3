"""Self-attention over a history, each event seeing those before it (SASRec, arXiv 1808.09781)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers.attention import SharedLinear
from corank.layers.flops import Flops, flops_of


class CausalAttention(nn.Module):
    """`H = V + Attend(LN(V)); out = H + W2 ReLU(W1 LN(H))`, event i attending to events i and older.

    Kang & McAuley 2018. Events lie latest first. Events that are masked out are seen by none but themselves.

    Args:
        length: L.
        width: D.
        heads: H.

    Raises:
        CorankError: H does not divide D.
    """

    def __init__(self, length: int, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise CorankError(f"history: {heads} heads do not divide the embedding width {width}")
        maps = (SharedLinear(length, width, width, bias=False) for _ in range(3))
        self.q, self.k, self.v = maps
        self.ffn = nn.Sequential(
            SharedLinear(length, width, width), nn.ReLU(), SharedLinear(length, width, width)
        )
        self.norm, self.norm_ffn = nn.LayerNorm(width), nn.LayerNorm(width)
        self.length, self.width, self.heads = length, width, heads
        older_LL = torch.ones(length, length).triu().bool()
        self.register_buffer("older_LL", older_LL, persistent=False)
        self.register_buffer("own_LL", torch.eye(length).bool(), persistent=False)
        self.older_LL: Tensor
        self.own_LL: Tensor

    def forward(self, v_nLD: Tensor, there_nL: Tensor) -> Tensor:
        """Events [n, L, D] and which of them are there [n, L], to [n, L, D]."""
        n_nLD = self.norm(v_nLD)
        q, k, v = (self._split(project(n_nLD)) for project in (self.q, self.k, self.v))
        score_nHLL = (q @ k.mT) * (self.width // self.heads) ** -0.5
        seen_nLL = self.older_LL & (there_nL.unsqueeze(1) | self.own_LL)
        score_nHLL = score_nHLL.masked_fill(~seen_nLL.unsqueeze(1), -torch.inf)
        o_nHLd = torch.softmax(score_nHLL, dim=-1) @ v
        h_nLD = v_nLD + o_nHLd.transpose(1, 2).flatten(2)
        out: Tensor = h_nLD + self.ffn(self.norm_ffn(h_nLD))
        return out

    def _split(self, x_nLD: Tensor) -> Tensor:
        return x_nLD.reshape(-1, self.length, self.heads, self.width // self.heads).transpose(1, 2)

    def flops(self) -> Flops:
        """Of one history: projections, `4 L^2 D` of attention, feed-forward."""
        maps = sum((flops_of(part) for part in (self.q, self.k, self.v, self.ffn)), Flops())
        return maps + Flops(sample=4 * self.length**2 * self.width)
