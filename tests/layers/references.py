"""Plain references of mixing, with loops, straight from the definitions, in float64."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from corank.layers.mixing import Mixing


def scaled(w: Tensor, tau: float, symmetric: bool, rounds: int = 2000) -> Tensor:
    """Sinkhorn and Knopp: alternate rows and columns, plainly, until nothing moves."""
    w = w.double()
    if symmetric:
        w = (w + w.mT) / 2
    k = torch.exp(w / tau - (w / tau).amax((-2, -1), keepdim=True))
    for _ in range(rounds):
        k = k / k.sum(-1, keepdim=True)
        k = k / k.sum(-2, keepdim=True)
    return k


def mixed(x: Tensor, w_global: Tensor, w_local: Tensor) -> Tensor:
    """`reshape( W_G [x_1 W_B^1 ; ... ; x_N W_B^N] )` of one sample [T, D], block by block."""
    N, B = w_local.shape[:2]
    flat = x.flatten()
    h = [flat[i * B : (i + 1) * B] @ w_local[i] for i in range(N)]
    rows = []
    for i in range(N):
        row = torch.zeros(B, dtype=x.dtype)
        for j in range(N):
            row = row + w_global[i, j] * h[j]
        rows.append(row)
    return torch.cat(rows).view(x.shape)


def gradients(out: Tensor, inputs: list[Tensor], upstream: Tensor) -> list[Tensor]:
    """The result and the gradients of its inner product with `upstream`."""
    return [out.detach(), *torch.autograd.grad((out * upstream).sum(), inputs, retain_graph=True)]


def assert_same(found: list[Tensor], expected: list[Tensor], tolerance: float = 1e-6) -> None:
    """Equal up to a tolerance that is relative to each tensor's largest number."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        size = max(1.0, float(b.abs().max()))
        assert float((a.double() - b.double()).abs().max()) <= tolerance * size


def parameters(layer: Mixing) -> dict[str, nn.Parameter]:
    """By name."""
    return dict(layer.named_parameters())
