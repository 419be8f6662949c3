"""From the tokens of a sample to one vector."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

Pooling = Literal["mean", "concat"]


def pool(kind: Pooling, x_STD: Tensor) -> Tensor:
    """[S, T, D] to their mean [S, D], or to all of them side by side [S, T * D]."""
    return x_STD.mean(dim=1) if kind == "mean" else x_STD.flatten(1)


def pooled_width(kind: Pooling, tokens: int, width: int) -> int:
    """The width of what `pool` gives."""
    return width if kind == "mean" else tokens * width
