"""A layer and its plain reference: the same forward and gradients, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

Weights = Mapping[str, Tensor]


def assert_same(layer: nn.Module, reference: Callable[[Weights, Tensor], Tensor], *shape: int) -> None:
    """Compare on random weights and input: outputs, and gradients of the input and of every weight.

    `reference` gets the layer's weights by name.
    """
    layer = layer.double()
    g = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=g, dtype=torch.float64) * 0.5)
    x = torch.randn(shape, generator=g, dtype=torch.float64).requires_grad_()
    weights = dict(layer.named_parameters())
    results = []
    for y in (layer(x), reference(weights, x)):
        upstream = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        results.append([y, *torch.autograd.grad(y, [x, *weights.values()], upstream)])
    for name, one, other in zip(["forward", "input", *weights], *results, strict=True):
        assert torch.allclose(one, other, rtol=1e-6, atol=1e-6), f"{name}: {one} is not {other}"


def linear(w: Weights, name: str, x: Tensor) -> Tensor:
    """A row x through the `nn.Linear` of this name."""
    y = w[f"{name}.weight"] @ x
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def token_linear(w: Weights, name: str, t: int, x: Tensor) -> Tensor:
    """A row x of token t through the per-token map of this name."""
    return x @ w[f"{name}.weight"][t] + w[f"{name}.bias"][t, 0]


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """LayerNorm of a row."""
    centred = x - x.mean()
    return weight * centred / (centred.square().mean() + 1e-5).sqrt() + bias


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    """RMSNorm of a row."""
    return weight * x / (x.square().mean() + 1e-6).sqrt()


def attention(
    q: list[Tensor], k: list[Tensor], v: list[Tensor], heads: int, scaled: bool = True
) -> list[Tensor]:
    """Attention of one sample's tokens, head by head, token by token."""
    return modulated(q, k, v, heads, torch.ones(len(q), len(q), dtype=torch.float64), scaled)


def modulated(
    q: list[Tensor], k: list[Tensor], v: list[Tensor], heads: int, pair: Tensor, scaled: bool = True
) -> list[Tensor]:
    """Attention with a factor on the score of each pair."""
    d = len(q[0]) // heads
    out = []
    for i in range(len(q)):
        parts = []
        for h in range(heads):
            at = slice(h * d, (h + 1) * d)
            scores = [pair[i, j] * (q[i][at] * k[j][at]).sum() for j in range(len(k))]
            exps = [(s / (d**0.5 if scaled else 1)).exp() for s in scores]
            total = torch.stack(exps).sum()
            terms = [e / total * v[j][at] for j, e in enumerate(exps)]
            parts.append(torch.stack(terms).sum(0))
        out.append(torch.cat(parts))
    return out


def each_sample(row: Callable[[list[Tensor]], list[Tensor]], x_STD: Tensor) -> Tensor:
    """Apply a function of one sample's tokens to all samples."""
    return torch.stack([torch.stack(row(list(x_TD))) for x_TD in x_STD])
