"""Sparse routing by ReLU: gates that are exactly 0 for most experts, and the penalty that makes them so."""

from __future__ import annotations

import torch
from pydantic import Field as Bound
from torch import Tensor, nn

from corank.config import Config
from corank.layers.per_token import PerTokenLinear

LIGHTEST, HEAVIEST = 1e-8, 1e2


class RoutingConfig(Config):
    """Experts of each token, and how many of them are to be active."""

    experts: int = Bound(default=4, ge=2)  # E
    active: float = Bound(default=0.25, gt=0, le=1)  # target share of gates above 0
    l1_start: float = Bound(default=1e-4, ge=LIGHTEST, le=HEAVIEST)  # the penalty's first weight
    l1_growth: float = Bound(default=1.2, gt=1)  # its factor a step


class ReLURouter(nn.Module):
    """`G_j = ReLU(h_j(s))`, h a linear map of each token (RankMixer, arXiv 2507.15551, section 3.4).

    In training it keeps the gates of a forward pass for `penalty`, and adapts the penalty's weight: times
    `l1_growth` while more gates are above 0 than wanted, divided by it while fewer are.

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
        nn.init.constant_(self.linear.bias, 1 / config.experts)  # all active: about the mean of the experts
        self.l1_weight: Tensor
        self.register_buffer("l1_weight", torch.tensor(config.l1_start))
        self.share = torch.tensor(torch.nan)
        self._gates: Tensor | None = None

    def forward(self, x_TSD: Tensor) -> Tensor:
        """[T, S, D] to the gates [T, S, E]."""
        g_TSE: Tensor = self.linear(x_TSD).relu()
        if self.training:
            self._gates = g_TSE
        return g_TSE

    @torch.no_grad()
    def _adapt(self, g_TSE: Tensor) -> None:
        self.share = (g_TSE > 0).float().mean()
        step = torch.sign(self.share - self.config.active)
        self.l1_weight.mul_(self.config.l1_growth**step).clamp_(LIGHTEST, HEAVIEST)

    def penalty(self) -> Tensor:
        """`weight * mean_{t,s} sum_j G_j` of the last forward pass in training, given once."""
        assert self._gates is not None, "no forward pass in training since the last penalty"
        gates, self._gates = self._gates, None
        term = self.l1_weight.clone() * gates.sum(-1).mean()
        self._adapt(gates)
        return term


def routing_penalty(model: nn.Module) -> dict[str, Tensor]:
    """The penalties of all routers in a model, summed, as an auxiliary loss; none without routers."""
    terms = [module.penalty() for module in model.modules() if isinstance(module, ReLURouter)]
    return {"routing": torch.stack(terms).sum()} if terms else {}
