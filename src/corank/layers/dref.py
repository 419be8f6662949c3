"""Domain-routed expert fusion (UniScale, arXiv 2603.24226): what domains share, and what is their own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from corank.layers.domain_ffn import DomainFFN
from corank.layers.routes import Routes


class DREF(nn.Module):
    """`e = a_s f_s(n) + a_d f_d(n);  (a_s, a_d) = softmax(FFN_d(n))`, `n = LN(z)`, d the sample's domain.

    f_s sees every sample. f_d and FFN_d see the samples of d alone, forward and backward (`Routes`). With one
    domain it is a mixture of two experts with a soft gate.

    Args:
        domains: K.
        width: D.
        hidden: inner width of the experts.
        gate_hidden: inner width of FFN_d.
    """

    def __init__(self, domains: int, width: int, hidden: int, gate_hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.shared = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.experts = DomainFFN(domains, width, hidden, width)
        self.gate = DomainFFN(domains, width, gate_hidden, 2)

    def forward(self, z_SD: Tensor, routes: Routes) -> Tensor:
        """Sorted samples [S, D] to [S, D]."""
        n_SD = self.norm(z_SD)
        a_S2 = torch.softmax(self.gate(n_SD, routes), dim=1)
        out: Tensor = a_S2[:, :1] * self.shared(n_SD) + a_S2[:, 1:] * self.experts(n_SD, routes)
        return out
