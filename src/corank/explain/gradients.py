"""Which parts of the embeddings make a score: integrated gradients, and ablation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]
"""Rows of embeddings [n, E] to their scores [n], each from its own row alone."""

FEWEST, MOST = 32, 1024
"""Points of the integral: doubled until it is exact enough."""
_ROWS = 4096
"""At most so many rows are scored at once."""


@dataclass(frozen=True)
class Gradients:
    """Integrated gradients of S scores.

    Attributes:
        of_SE: what each number of the embedding adds.
        change_S: score less the baseline's score.
        points: at which the gradient was taken.
    """

    of_SE: Tensor
    change_S: Tensor
    points: int

    @property
    def gap_S(self) -> Tensor:
        """What the sum of contributions lacks of the change; 0 for the exact integral (completeness)."""
        return self.change_S - self.of_SE.sum(1)


def integrated_gradients(
    score: Score, x_SE: Tensor, baseline_E: Tensor, tolerance: float = 1e-4
) -> Gradients:
    """`(x_e - b_e) int_0^1 dF/dx_e (b + a (x - b)) da` (Sundararajan, Taly and Yan 2017, arXiv 1703.01365).

    The integral is a Gauss-Legendre sum of 32 points, or twice as many, until all gaps are below `tolerance`
    or there are 1,024.

    Args:
        score: F.
        x_SE: the embeddings.
        baseline_E: b.
        tolerance: largest gap.
    """
    step_SE = x_SE - baseline_E
    with torch.no_grad():
        change_S = (score(x_SE) - score(baseline_E.expand_as(x_SE))).double()
    points = FEWEST
    while True:
        found = Gradients(_integral(score, baseline_E, step_SE, points), change_S, points)
        if points >= MOST or not bool((found.gap_S.abs() > tolerance).any()):
            return found
        points *= 2


def _integral(score: Score, baseline_E: Tensor, step_SE: Tensor, points: int) -> Tensor:
    """The sum over the points of weight times gradient times step, float64 [S, E]."""
    nodes, weights = (torch.from_numpy(x) / 2 for x in np.polynomial.legendre.leggauss(points))
    total_SE = torch.zeros_like(step_SE, dtype=torch.float64)
    at_once = max(1, _ROWS // len(step_SE))
    parts = (torch.split(x, at_once) for x in (nodes + 0.5, weights))
    for at_P, weight_P in zip(*parts, strict=True):
        along_PSE = baseline_E + at_P.to(step_SE.dtype).view(-1, 1, 1) * step_SE
        e = along_PSE.flatten(0, 1).requires_grad_()
        (gradient,) = torch.autograd.grad(score(e).sum(), e)
        total_SE += torch.einsum("p,pse->se", weight_P, gradient.view(along_PSE.shape).double())
    return total_SE * step_SE.double()


@torch.no_grad()
def ablation(score: Score, x_SE: Tensor, baseline_E: Tensor, parts_PE: Tensor) -> Tensor:
    """The score less that with one part at its baseline, for each part [P, S].

    Args:
        parts_PE: bool, the numbers of each part.
    """
    full_S = score(x_SE)
    found = [full_S - score(torch.where(part_E, baseline_E, x_SE)) for part_E in parts_PE]
    return torch.stack(found).double()
