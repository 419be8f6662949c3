"""From a representation to the logits of every task."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from corank.layers.domain_ffn import DomainFFN
from corank.layers.flops import Flops
from corank.layers.routes import Routes


class TrainingHead(nn.Linear):
    """A linear map that a loss reads in training; it is left out of scoring and of counted operations."""

    def flops(self) -> Flops:
        """None outside training, which is what is counted."""
        return Flops()


def linear_heads(width: int, names: Sequence[str]) -> nn.ModuleDict:
    """A linear map to a logit a name, bias 0; `imputation` is for training only."""
    heads = nn.ModuleDict()
    for name in names:
        head = TrainingHead(width, 1) if name == "imputation" else nn.Linear(width, 1)
        nn.init.zeros_(head.bias)
        heads[name] = head
    return heads


def domain_heads(width: int, names: Sequence[str], domains: int, hidden: int) -> nn.ModuleDict:
    """A feed-forward to a logit a name and domain, last bias 0; `imputation` is linear and of all domains."""
    heads = linear_heads(width, [name for name in names if name == "imputation"])
    heads.update({name: DomainFFN(domains, width, hidden, 1) for name in names if name not in heads})
    return heads


def logits_of(heads: nn.ModuleDict, z_SD: Tensor, routes: Routes | None = None) -> dict[str, Tensor]:
    """Logits [S] by name; with a head `conversion`, `purchase` is made of it and `click`.

    Args:
        heads: linear ones, or a domain's, for which `routes` tells the domains of the sorted samples.
        z_SD: [S, width].
    """
    logits: dict[str, Tensor] = {}
    for name, head in heads.items():
        if isinstance(head, TrainingHead) and not head.training:
            continue
        made = head(z_SD, routes) if isinstance(head, DomainFFN) else head(z_SD)
        logits[name] = made.squeeze(-1)
    return with_product(logits)


def with_product(logits: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same, with `purchase` of `click` and `conversion` where there is a `conversion` (ESMM).

    `pCTCVR = pCTR pCVR` (Ma et al. 2018, arXiv 1804.07931, eq. 1).
    """
    if "conversion" not in logits:
        return logits
    return {**logits, "purchase": product_logit(logits["click"], logits["conversion"])}


def product_logit(a_S: Tensor, b_S: Tensor) -> Tensor:
    """The logit of sigma(a) sigma(b): `-ln(e^-a + e^-b + e^(-a-b))`, exact for logits of any size."""
    return -torch.logsumexp(torch.stack([-a_S, -b_S, -a_S - b_S]), dim=0)
