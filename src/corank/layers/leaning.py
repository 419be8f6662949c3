"""Initial logits of learned mixing matrices: without a preference, or leaning to a permutation."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from corank.errors import CorankError
from corank.layers.patterns import MixingShape

Init = Literal["normal", "identity", "permutation"]
"""Standard normal logits; the same leaning to the identity, or to RankMixer's exchange of heads, H = T."""
LEAN = 4.0
"""Log-odds, at first, of the entry leant to against the rest of its row."""


def order(init: Init, shape: MixingShape) -> Tensor | None:
    """The permutation of the N blocks that logits lean to."""
    if init == "normal":
        return None
    return torch.arange(shape.blocks) if init == "identity" else shape.exchange_order()


def bias(lean: float, n: int) -> float:
    """What to add to one of n equal logits that its odds against the others together are exp(lean).

    >>> odds = math.exp(bias(2.0, 5)) / 4
    >>> round(math.log(odds), 6)
    2.0
    """
    return lean + math.log(max(n - 1, 1))


def square(n: int, target_N: Tensor | None, lean: float, sinkhorn: bool) -> Tensor:
    """Logits [n, n]; without Sinkhorn they are the matrix itself: N(0, 1 / n), plus the permutation."""
    noise = torch.randn(n, n)
    if not sinkhorn:
        noise, height = noise * n**-0.5, 1.0
    else:
        height = bias(lean, n)
    return noise if target_N is None else noise + height * torch.eye(n)[target_N]


def product(n: int, rank: int, target_N: Tensor | None, lean: float) -> tuple[Tensor, Tensor]:
    """Factors [n, r] and [r, n] of logits.

    Without a target the product has variance 1. A product of rank r < n is no permutation, but may lean to
    one: with random unit vectors u_i, logits c u_i.u_j are c where i = j and N(0, c^2 / r) elsewhere, and the
    largest of n of these stays below c while r > 2 ln n.

    Raises:
        CorankError: r is too small for that.
    """
    if target_N is None:
        return torch.randn(n, rank) * rank**-0.25, torch.randn(rank, n) * rank**-0.25
    least = math.ceil(2 * math.log(n)) + 1 if n > 1 else 1
    if rank < least:
        raise CorankError(
            f"unimixing: logits of rank {rank} are too few to lean to a permutation of {n} blocks: "
            f"expected a rank of {least} at least, or global_init normal"
        )
    unit = torch.nn.functional.normalize(torch.randn(n, rank), dim=1) * bias(lean, n) ** 0.5
    return unit[target_N], unit.t().contiguous()
