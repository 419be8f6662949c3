"""Per-token experts: several feed-forwards for every token, weighed by a router."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from corank.layers.flops import Flops, flops_of
from corank.layers.per_token import PerTokenLinear, inner
from corank.layers.routing import ReLURouter, RoutingConfig

Kind = Literal["gelu", "swiglu"]


class RoutedFFN(nn.Module):
    """`v = sum_j G_j e_j(s)`, with E experts for every token and `G = ReLU(h(s))`.

    An expert is `W2 GELU(W1 s + b1) + b2` or, for `swiglu`, `W2 ((W1 s + b1) * Swish(W3 s + b3)) + b2`.
    The experts of a token are one wide feed-forward, the hidden numbers of which are multiplied by the gates.
    All are computed: a gate of 0 saves nothing here.

    Args:
        tokens: T.
        width: D.
        expansion: hidden width of each expert, in D.
        routing: experts and sparsity.
        kind: of the experts.
    """

    def __init__(
        self, tokens: int, width: int, expansion: float, routing: RoutingConfig, kind: Kind = "gelu"
    ) -> None:
        super().__init__()
        E, hidden = routing.experts, inner(width, expansion)
        bound = hidden**-0.5
        self.router = ReLURouter(tokens, width, routing)
        self.up = PerTokenLinear(tokens, width, E * hidden)
        self.gate = PerTokenLinear(tokens, width, E * hidden) if kind == "swiglu" else None
        self.down = nn.Parameter(torch.empty(tokens, E * hidden, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(tokens, E, width))

    def forward(self, s_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        s_TSD = s_STD.transpose(0, 1)
        g_TSE = self.router(s_TSD)
        h_TSk = F.gelu(self.up(s_TSD)) if self.gate is None else self.up(s_TSD) * F.silu(self.gate(s_TSD))
        gated = h_TSk.unflatten(-1, (g_TSE.shape[-1], -1)) * g_TSE.unsqueeze(-1)
        v_TSD = torch.baddbmm(torch.bmm(g_TSE, self.bias), gated.flatten(2), self.down)
        return v_TSD.transpose(0, 1)

    def flops(self) -> Flops:
        """Router, every expert, and the gated biases."""
        children = sum((flops_of(child) for child in self.children()), Flops())
        return children + Flops(sample=2 * (self.down.numel() + self.bias.numel()))


class SharedExpert(nn.Module):
    """`shared(s) + routed(s)`: one expert that every token always has, beside those that are routed."""

    def __init__(self, shared: nn.Module, routed: nn.Module) -> None:
        super().__init__()
        self.shared, self.routed = shared, routed

    def forward(self, s_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        out: Tensor = self.shared(s_STD) + self.routed(s_STD)
        return out
