"""Floating-point operations of a forward pass, from each layer's formula.

Conventions: a multiply-add is 2 operations; only products of matrices count (linear maps, attention's two
products, weighted sums such as a sequence's mean), as in PyTorch's `FlopCounterMode`. Norms, activations,
softmax, biases, residual sums and table look-ups do not. Work is told apart by how often it is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import nn

from corank.layers.rms_norm import RMSNorm


@dataclass(frozen=True)
class Flops:
    """Operations of a batch of R requests with S samples: `step + R * request + S * sample`.

    Attributes:
        step: once a forward pass, whatever its size: weights made from other weights.
        request: for every request.
        sample: for every sample.
    """

    step: int = 0
    request: int = 0
    sample: int = 0

    def __add__(self, other: Flops) -> Flops:
        return Flops(self.step + other.step, self.request + other.request, self.sample + other.sample)

    def of(self, requests: int, samples: int) -> int:
        """The operations of a whole batch.

        >>> (Flops(request=2, sample=3) + Flops(step=5)).of(requests=10, samples=100)
        325
        """
        return self.step + requests * self.request + samples * self.sample


@runtime_checkable
class Counted(Protocol):
    """A layer that tells the operations of its forward pass; it answers for its children too."""

    def flops(self) -> Flops:
        """Operations of one forward pass."""


def flops_of(module: nn.Module) -> Flops:
    """The operations of a module: its own formula, or else the sum of its children's.

    A plain `nn.Linear` is taken to run once a sample. A layer for which that is not so has a `flops()`.
    """
    if isinstance(module, Counted):
        return module.flops()
    if isinstance(module, nn.Linear):
        return Flops(sample=2 * module.in_features * module.out_features)
    if isinstance(module, (nn.LayerNorm, RMSNorm, nn.Embedding)):
        return Flops()
    own = next(module.parameters(recurse=False), None)
    assert own is None, f"{type(module).__name__} has parameters and no flops()"
    return sum((flops_of(child) for child in module.children()), Flops())
