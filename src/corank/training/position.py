"""Position bias: users look at the top first. Corrections of the loss; no score ever depends on position."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from corank.training.config import CurveConfig


def propensity(position_S: Tensor, domain_S: Tensor, curves: Sequence[CurveConfig], floor: float) -> Tensor:
    """P(examined) [S] of shown samples by their domain's curve, at least `floor`; 1 where not shown.

    What was not shown was not clicked there: its label came from elsewhere, where this list's order is no
    matter.

    Args:
        position_S: int64, 1 the top, 0 where not shown.
        domain_S: the domain of each sample, a number below K.
        curves: K.
        floor: above 0.
    """
    at_KS = torch.stack([_examined(position_S, curve) for curve in curves])
    return at_KS.gather(0, domain_S.unsqueeze(0)).squeeze(0).clamp_min(floor)


def _examined(position_S: Tensor, curve: CurveConfig) -> Tensor:
    """`examination` of the position, or `1 / k^decay`."""
    if curve.examination:
        listed = torch.tensor([1.0, *curve.examination], device=position_S.device)
        return listed[position_S.clamp_max(len(curve.examination))]
    return position_S.clamp_min(1).float() ** -curve.decay


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
