"""One module for every way of mixing blocks of channels (UniMixer, arXiv 2604.00590, the unified view)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from corank.config import Config
from corank.errors import CorankError
from corank.layers.operators import Operator


@dataclass(frozen=True)
class MixingShape:
    """T tokens of width D, seen as N blocks of B channels.

    Raises:
        CorankError: B does not divide T * D.
    """

    tokens: int
    width: int
    block: int

    def __post_init__(self) -> None:
        if self.tokens * self.width % self.block:
            raise CorankError(
                f"mixing: blocks of {self.block} do not divide {self.tokens} tokens x {self.width} channels"
            )

    @property
    def blocks(self) -> int:
        """N."""
        return self.tokens * self.width // self.block

    def token_mixer_order(self, heads: int) -> Tensor:
        """Which block comes n-th when head h of every token is put side by side, for h = 1..H.

        Raises:
            CorankError: a head is not a whole number of blocks.
        """
        T, D, B = self.tokens, self.width, self.block
        if D % heads or D // heads % B:
            raise CorankError(f"mixing: {heads} heads of {D} channels are not made of whole blocks of {B}")
        return torch.arange(self.blocks).view(T, heads, -1).transpose(0, 1).flatten()


class GlobalPattern(Config, ABC):
    """What G(X) is: how blocks see one another."""

    @abstractmethod
    def build(self, shape: MixingShape) -> nn.Module:
        """A module (x_SNC, tau) -> something to put before `@`: an operator, or one matrix a sample.

        Raises:
            CorankError: the pattern cannot be had at this shape.
        """

    def out_tokens(self, shape: MixingShape) -> int:
        """Into how many tokens the result is cut."""
        return shape.tokens


class LocalPattern(Config, ABC):
    """What local(X) is: what happens inside a block."""

    @abstractmethod
    def build(self, shape: MixingShape) -> nn.Module:
        """A module (x_SNC, tau) -> h_SNC.

        Raises:
            CorankError: the pattern cannot be had at this shape.
        """


class MixingConfig(Config, ABC):
    """A pair of patterns in one flat configuration, as models use them."""

    @abstractmethod
    def build(self, tokens: int, width: int) -> Mixing:
        """The module for T x D inputs.

        Raises:
            CorankError: the sizes do not fit one another.
        """


class Learned(nn.Module, ABC):
    """A pattern of matrices that do not depend on the input: made once a step, and constants once trained."""

    @abstractmethod
    def matrices(self, tau: Tensor) -> tuple[Tensor, ...]:
        """The matrices, from the parameters."""

    @staticmethod
    @abstractmethod
    def use(x_SNC: Tensor, matrices: tuple[Tensor, ...]) -> Operator:
        """What the matrices make of x: an operator, or blocks."""

    def forward(self, x_SNC: Tensor, tau: Tensor) -> Operator:
        """`use` with the present matrices."""
        return self.use(x_SNC, self.matrices(tau))


class Folded(nn.Module):
    """A learned pattern that learns no longer: its matrices are buffers."""

    def __init__(self, pattern: Learned, tau: Tensor) -> None:
        super().__init__()
        with torch.no_grad():
            matrices = pattern.matrices(tau)
        self.names = [f"matrix_{i}" for i in range(len(matrices))]
        for name, matrix in zip(self.names, matrices, strict=True):
            self.register_buffer(name, matrix.clone())
        self.use = pattern.use

    def forward(self, x_SNC: Tensor, _tau: Tensor) -> Operator:
        """`use` with the constants."""
        return self.use(x_SNC, tuple(self.get_buffer(name) for name in self.names))


class Mixing(nn.Module):
    """`out = reshape( G(X) local(X) )`, X flattened and cut into N blocks of B channels.

    | family | `global_pattern` | `local_pattern` | B |
    |---|---|---|---|
    | self-attention | `Attention()` | `Projection()` | D |
    | heterogeneous attention | `Attention(token_specific=True)` | `Projection(token_specific=True)` | D |
    | TokenMixer | `TokenPermutation(heads=H)` | `Identity()` | D / H or a divisor |
    | FM | `Gram()` | `Free(columns=k)` | D |
    | UniMixing | `LearnedGlobal()` | `LearnedLocal()` | any that divides T D |

    Args:
        tokens: T.
        width: D.
        global_pattern, local_pattern: what G and local are.
        block: B; D if not given.

    Attributes:
        tau: temperature of learned patterns, a buffer that training anneals.

    Raises:
        CorankError: B does not divide T * D, or a pattern cannot be had at this shape.
    """

    def __init__(
        self,
        tokens: int,
        width: int,
        global_pattern: GlobalPattern,
        local_pattern: LocalPattern,
        block: int | None = None,
    ) -> None:
        super().__init__()
        shape = MixingShape(tokens, width, width if block is None else block)
        self.shape, self.out_tokens = shape, global_pattern.out_tokens(shape)
        self.G = global_pattern.build(shape)
        self.local = local_pattern.build(shape)
        self.tau: Tensor
        self.register_buffer("tau", torch.tensor(1.0))

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]; to [S, H, T * D / H] by H heads, to [S, T, k] by k columns."""
        x_SNC = x_STD.reshape(-1, self.shape.blocks, self.shape.block)
        o_SNC: Tensor = self.G(x_SNC, self.tau) @ self.local(x_SNC, self.tau)
        return o_SNC.reshape(x_STD.shape[0], self.out_tokens, -1)

    def fold(self) -> None:
        """Turn learned matrices into constants, for inference: no Sinkhorn, no temperature from here on."""
        if isinstance(self.G, Learned):
            self.G = Folded(self.G, self.tau)
        if isinstance(self.local, Learned):
            self.local = Folded(self.local, self.tau)

    @torch.no_grad()
    def matrix(self) -> Tensor | None:
        """G [N, N] in full, at the present temperature; None if it depends on the input."""
        if not isinstance(self.G, Learned | Folded):
            return None
        operator = self.G(torch.empty(0), self.tau)
        full: Tensor = operator.full()
        return full
