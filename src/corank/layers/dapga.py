"""Domain-aware personalised gated attention (UniScale, arXiv 2603.24226): a domain looks at the others."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from corank.layers.attention import Attend
from corank.layers.domain_ffn import DomainFFN
from corank.layers.flops import Flops, flops_of
from corank.layers.routes import Routes


class DAPGA(nn.Module):
    """`o = Attend(u_d, U, U) * sigmoid(FFN([x_User ; x_Domain]))`, `u_k = E_k(LN(e))`, d the sample's domain.

    U has a row a domain: u_d, and `stop_gradient(u_k)` for every other k. So a sample reads all views and
    trains its own domain's alone; through the others nothing flows back to e either. The gate, a number a
    channel, is made once a request. With one domain there is one row to look at: o = E_1(LN(e)) * gate.

    Args:
        domains: K.
        width: D.
        hidden: inner width of the views' networks E_k.
        heads: H of the attention; the views have no projections beside E_k.
        gate_width: width of [x_User ; x_Domain].
        gate_hidden: inner width of the gate's network.

    Raises:
        CorankError: H does not divide D.
    """

    def __init__(
        self, domains: int, width: int, hidden: int, heads: int, gate_width: int, gate_hidden: int
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.views = DomainFFN(domains, width, hidden, width)
        self.attend = Attend(domains, width, heads, queries=1)
        self.gate = nn.Sequential(
            nn.Linear(gate_width, gate_hidden), nn.GELU(), nn.Linear(gate_hidden, width)
        )
        self.domains = domains

    def forward(self, e_SD: Tensor, gate_RE: Tensor, request_of_S: Tensor, routes: Routes) -> Tensor:
        """Sorted samples [S, D], [x_User ; x_Domain] [R, gate_width], samples' requests [S], to [S, D].

        `request_of_S` is in the order of the samples, sorted by domain: `routes.sort(batch.request_of_S)`.
        """
        own, u_SKD = self.look(e_SD, routes)
        o_SD: Tensor = self.attend(own.unsqueeze(1), u_SKD, u_SKD).squeeze(1)
        gate_RD = torch.sigmoid(self.gate(gate_RE))
        return o_SD * gate_RD.index_select(0, request_of_S)

    def look(self, e_SD: Tensor, routes: Routes) -> tuple[Tensor, Tensor]:
        """The own view u_d [S, D], and all views U [S, K, D], in training with the others' gradients stopped.

        Outside training gradients are those of the score, which an explanation integrates.
        """
        parts = routes.split(self.norm(e_SD))
        own = [self.views.of(k, part) for k, part in enumerate(parts)]
        views: list[Tensor] = []
        for k in range(self.domains):
            before, after = sum(routes.sizes[:k]), sum(routes.sizes[k + 1 :])
            others = [*parts[:k], *parts[k + 1 :]]
            if not others:
                views.append(own[k])
                continue
            foreign = self.views.of(k, torch.cat(others))
            foreign = foreign.detach() if self.training else foreign
            first, last = torch.split(foreign, [before, after])
            views.append(torch.cat([first, own[k], last]))
        return torch.cat(own), torch.stack(views, dim=1)

    def flops(self) -> Flops:
        """Every view and the attention once a sample, the gate once a request."""
        views = Flops(sample=self.domains * flops_of(self.views).sample)
        return views + flops_of(self.attend) + Flops(request=flops_of(self.gate).sample)
