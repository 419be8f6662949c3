"""A feed-forward a domain, run on the samples of that domain alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from corank.layers.flops import Flops
from corank.layers.per_token import PerTokenLinear
from corank.layers.routes import Routes


class DomainFFN(nn.Module):
    """`FFN_d(x) = W2_d GELU(W1_d x + b1_d) + b2_d` of each sample's own domain d.

    The weights of other domains do not see the sample, forward or backward: their gradient from it is not
    there, rather than small.

    Args:
        domains: K.
        width, hidden, out: input, inner and output width.
    """

    def __init__(self, domains: int, width: int, hidden: int, out: int) -> None:
        super().__init__()
        self.up = PerTokenLinear(domains, width, hidden)
        self.down = PerTokenLinear(domains, hidden, out)

    def forward(self, x_SD: Tensor, routes: Routes) -> Tensor:
        """Sorted samples [S, width] to [S, out]."""
        return torch.cat([self.of(k, x_nD) for k, x_nD in enumerate(routes.split(x_SD))])

    def of(self, domain: int, x_nD: Tensor) -> Tensor:
        """Any n samples [n, width] through the network of one domain [n, out]."""
        h_nk = F.gelu(torch.addmm(self.up.bias[domain], x_nD, self.up.weight[domain]))
        return torch.addmm(self.down.bias[domain], h_nk, self.down.weight[domain])

    def flops(self) -> Flops:
        """Of one domain's network: 2 times its two weights."""
        of_all = 2 * (self.up.weight.numel() + self.down.weight.numel())
        return Flops(sample=of_all // self.up.weight.shape[0])
