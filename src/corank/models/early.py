"""Heads on representations that a model has before its last, for losses in training."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from corank.layers.flops import Flops
from corank.models.base import Loss
from corank.models.heads import linear_heads, logits_of


class EarlyHeads(nn.Module):
    """A head a task on each of several earlier representations; unused outside training.

    Args:
        count: how many representations.
        width: of each.
        tasks: what is predicted.
        weight: of their mean loss.
    """

    def __init__(self, count: int, width: int, tasks: Sequence[str], weight: float) -> None:
        super().__init__()
        self.each = [linear_heads(width, tasks) for _ in range(count)]
        self.heads = nn.ModuleList(self.each)
        self.weight = weight
        self._kept: dict[int, Tensor] = {}

    def keep(self, i: int, z_SD: Tensor) -> None:
        """Keep the i-th representation [S, width] of this forward pass."""
        self._kept[i] = z_SD

    def losses(self, loss: Loss) -> dict[str, Tensor]:
        """`early`: the weighted mean loss of what was kept; none where there is no earlier representation."""
        kept, self._kept = self._kept, {}
        if not kept:
            return {}
        terms = [loss(logits_of(self.each[i], z_SD)) for i, z_SD in kept.items()]
        return {"early": self.weight * torch.stack(terms).mean()}

    def flops(self) -> Flops:
        """None outside training, which is what is counted."""
        return Flops()
