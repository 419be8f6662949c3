"""Checkpoints of the optimizer: what is loaded lies in memory as what was saved."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from corank.training.checkpoint import State, load_checkpoint, save_checkpoint


class Strided(nn.Module):
    """A weight whose memory is that of its transpose."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(12.0).view(3, 4).t().clone())
        assert not self.weight.is_contiguous()


def trained(folder: Path, cut: bool) -> torch.Tensor:
    model, objective = Strided(), nn.Identity()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    for step in range(4):
        if cut and step == 2:
            save_checkpoint(folder, model, objective, optimizer, State(step=step))
            model = Strided()
            optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
            assert load_checkpoint(folder, model, objective, optimizer) == State(step=step)
        optimizer.zero_grad()
        noise = torch.randn(4, 3, generator=torch.Generator().manual_seed(step))
        torch.autograd.backward((model.weight * noise).sum())
        optimizer.step()
    return model.weight.detach()


def test_moments_fit_a_weight_whose_rows_are_not_side_by_side(tmp_path: Path) -> None:
    assert torch.equal(trained(tmp_path, cut=True), trained(tmp_path, cut=False))
