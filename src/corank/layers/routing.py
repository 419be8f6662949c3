"""Sparse routing by ReLU: gates that are exactly 0 for most experts, and the penalty that makes them so."""

from __future__ import annotations

import torch
from pydantic import Field as Bound
from torch import Tensor, nn

from corank.config import Config
from corank.layers.per_token import PerTokenLinear

LIGHTEST, HEAVIEST = 1e-5, 1e2


class RoutingConfig(Config):
    """Experts of each token, and how many of them are to be active."""

    experts: int = Bound(default=4, ge=2)  # E
    active: float = Bound(default=0.25, gt=0, le=1)  # target share of gates above 0
    l1_start: float = Bound(default=1e-4, ge=LIGHTEST, le=HEAVIEST)  # the penalty's first weight
    l1_growth: float = Bound(default=1.1, gt=1)  # its factor a step
    revival: float = Bound(default=1e-3, ge=0)  # weight of the pull on closed gates while too few are open


class ReLURouter(nn.Module):
    """`G_j = ReLU(h_j(s))`, h a linear map of each token (RankMixer, arXiv 2507.15551, section 3.4).

    In training it keeps h for `penalty`, whose weight adapts: times `l1_growth` while more gates are above 0
    than wanted, divided by it while fewer are. A gate at 0 has no gradient, and L1 alone closes too many for
    long; so while too few are open, closed ones are pulled up instead.

    Args:
        tokens: T.
        width: D.
        config: experts, target and penalty.

    Attributes:
        l1_weight: the penalty's present weight, kept with the model's.
        share: of the last gates in training, how many were above 0.
    """

    def __init__(self, tokens: int, width: int, config: RoutingConfig) -> None:
        super().__init__()
        self.config = config
        self.linear = PerTokenLinear(tokens, width, config.experts)
        nn.init.constant_(self.linear.bias, 1 / config.experts)  # begin about the mean of the experts
        self.l1_weight: Tensor
        self.register_buffer("l1_weight", torch.tensor(config.l1_start))
        self.share = torch.tensor(torch.nan)
        self._kept: Tensor | None = None

    def forward(self, x_TSD: Tensor) -> Tensor:
        """[T, S, D] to the gates [T, S, E]."""
        h_TSE: Tensor = self.linear(x_TSD)
        if self.training:
            self._kept = h_TSE
        return h_TSE.relu()

    def penalty(self) -> Tensor:
        """Of the last forward pass in training, given once; means over tokens and samples.

        `l1_weight * sum_j ReLU(h_j)`, or `revival * sum_j ReLU(-h_j)` while no more are open than wanted.
        """
        assert self._kept is not None, "no forward pass in training since the last penalty"
        h_TSE, self._kept = self._kept, None
        c = self.config
        self.share = (h_TSE.detach() > 0).float().mean()
        too_many = self.share > c.active
        open_ones, closed_ones = (part.relu().sum(-1).mean() for part in (h_TSE, -h_TSE))
        term = torch.where(too_many, self.l1_weight.clone() * open_ones, c.revival * closed_ones)
        with torch.no_grad():
            step = torch.sign(self.share - c.active)
            self.l1_weight.mul_(c.l1_growth**step).clamp_(LIGHTEST, HEAVIEST)
        return term


def routing_penalty(model: nn.Module) -> dict[str, Tensor]:
    """The penalties of all routers in a model, summed, as an auxiliary loss; none without routers."""
    terms = [module.penalty() for module in model.modules() if isinstance(module, ReLURouter)]
    return {"routing": torch.stack(terms).sum()} if terms else {}
