"""Position bias: users look at the top first. Corrections of the loss; no score ever depends on position."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from corank.training.config import PositionConfig


def propensity(position_S: Tensor, config: PositionConfig) -> Tensor:
    """P(examined) [S] of shown samples, `examination` of their position or `1 / k^decay`; 1 where not shown.

    What was not shown was not clicked there: its label came from elsewhere, where this list's order is no
    matter.

    Args:
        position_S: int64, 1 the top, 0 where not shown.
    """
    if config.examination:
        listed = torch.tensor([1.0, *config.examination], device=position_S.device)
        at_S = listed[position_S.clamp_max(len(config.examination))]
    else:
        at_S = position_S.clamp_min(1).float() ** -config.decay
    return at_S.clamp_min(config.floor)


class PositionTower(nn.Module):
    """A bias by position, added to logits in training and left out of scores (Zhao et al. 2019, RecSys).

    The logged click is explained by what the model says of the sample plus what its place did. Scores are as
    if everything stood at the top: the bias of position 1, and of what was not shown, is 0.

    Args:
        names: of the logits that are biased, each with biases of its own.
        domains: K, each with biases of its own.
        positions: P; later ones share the last's.
    """

    def __init__(self, names: tuple[str, ...], domains: int, positions: int) -> None:
        super().__init__()
        self.names, self.positions = names, positions
        self.bias = nn.Parameter(torch.zeros(len(names), domains, positions - 1))

    def forward(self, logits: dict[str, Tensor], position_S: Tensor, domain_S: Tensor) -> dict[str, Tensor]:
        """The logits [S] of what was logged at these positions (1 the top, 0 where not shown)."""
        lower_S = position_S.clamp_max(self.positions) - 2
        biased = dict(logits)
        for name, bias_KP in zip(self.names, self.bias, strict=True):
            bias_S = torch.where(lower_S >= 0, bias_KP[domain_S, lower_S.clamp_min(0)], 0)
            biased[name] = logits[name] + bias_S
        return biased
