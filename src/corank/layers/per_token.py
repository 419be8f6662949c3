"""Maps with weights of their own for every token, all tokens in one batched product."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from corank.layers.flops import Flops


def inner(width: int, expansion: float) -> int:
    """The hidden width of a feed-forward: so many times its width, at least 1."""
    return max(round(width * expansion), 1)


class PerTokenLinear(nn.Module):
    """`y_t = W_t x_t + b_t`, one W_t and b_t a token.

    Args:
        tokens: T.
        width: input width D.
        out: output width.
    """

    def __init__(self, tokens: int, width: int, out: int) -> None:
        super().__init__()
        bound = width**-0.5
        self.weight = nn.Parameter(torch.empty(tokens, width, out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(tokens, 1, out))

    def forward(self, x_TSD: Tensor) -> Tensor:
        """[T, S, width] to [T, S, out]: tokens lead, as the batched product wants them."""
        return torch.baddbmm(self.bias, x_TSD, self.weight)

    def flops(self) -> Flops:
        """`2 T` times input and output width."""
        return Flops(sample=2 * self.weight.numel())


class PerTokenFFN(nn.Module):
    """`FFN_t(x) = W2_t GELU(W1_t x + b1_t) + b2_t` (RankMixer, section 3.4).

    Args:
        tokens: T.
        width: D.
        expansion: hidden width as a multiple of D.
    """

    def __init__(self, tokens: int, width: int, expansion: float) -> None:
        super().__init__()
        hidden = inner(width, expansion)
        self.up = PerTokenLinear(tokens, width, hidden)
        self.down = PerTokenLinear(tokens, hidden, width)

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        out_TSD: Tensor = self.down(F.gelu(self.up(x_STD.transpose(0, 1))))
        return out_TSD.transpose(0, 1)


class PerTokenSwiGLU(nn.Module):
    """`pSwiGLU_t(o) = W_down_t ((W_up_t o + b) * Swish(W_gate_t o + b)) + b` (UniMixer).

    Args:
        tokens: T.
        width: D.
        expansion: hidden width as a multiple of D.
    """

    def __init__(self, tokens: int, width: int, expansion: float) -> None:
        super().__init__()
        hidden = inner(width, expansion)
        self.up = PerTokenLinear(tokens, width, hidden)
        self.gate = PerTokenLinear(tokens, width, hidden)
        self.down = PerTokenLinear(tokens, hidden, width)

    def forward(self, o_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        o_TSD = o_STD.transpose(0, 1)
        out_TSD: Tensor = self.down(self.up(o_TSD) * F.silu(self.gate(o_TSD)))
        return out_TSD.transpose(0, 1)
