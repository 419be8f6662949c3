"""What the two halves of `corank.layers.mixing.Mixing` can be: the configs and modules of patterns."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from corank.config import Config
from corank.errors import CorankError
from corank.layers.flops import Flops
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

    def exchange_order(self) -> Tensor:
        """Which block comes n-th when tokens exchange blocks in pairs: RankMixer's order, wherever it exists.

        Of the K blocks of a token, m = K / T go to each of T tokens (what is left over stays); with fewer
        blocks than tokens, groups of K tokens exchange one block each. Where blocks lie across tokens, the
        square of the first isqrt(N)^2 blocks is transposed. Each is its own inverse, so that a symmetric
        matrix can lean to it; with one block a token there is nothing to exchange.

        >>> MixingShape(tokens=2, width=4, block=1).exchange_order().tolist()
        [0, 1, 4, 5, 2, 3, 6, 7]
        >>> MixingShape(tokens=4, width=2, block=1).exchange_order().tolist()
        [0, 2, 1, 3, 4, 6, 5, 7]
        """
        T, K = self.tokens, self.blocks // self.tokens
        if self.blocks % self.tokens:
            T = K = math.isqrt(self.blocks)
        side = min(T, K)
        order_N = torch.arange(self.blocks)
        grid_TK = order_N[: T * K].view(T, K)
        cut = grid_TK[: T // side * side, : K // side * side]
        cut.copy_(cut.reshape(T // side, side, side, K // side).transpose(1, 2).reshape(cut.shape).clone())
        return order_N


class GlobalPattern(Config, ABC):
    """What G(X) is: how blocks see one another."""

    @abstractmethod
    def build(self, shape: MixingShape) -> Pattern:
        """The module, which gives something to put before `@`: an operator, or one matrix a sample.

        Raises:
            CorankError: the pattern cannot be had at this shape.
        """

    def out_tokens(self, shape: MixingShape) -> int:
        """Into how many tokens the result is cut."""
        return shape.tokens


class LocalPattern(Config, ABC):
    """What local(X) is: what happens inside a block."""

    @abstractmethod
    def build(self, shape: MixingShape) -> Pattern:
        """The module, which gives h_SNC.

        Raises:
            CorankError: the pattern cannot be had at this shape.
        """

    def out_block(self, shape: MixingShape) -> int:
        """How many numbers a block has afterwards."""
        return shape.block


class Pattern(nn.Module, ABC):
    """G or local as a module."""

    @abstractmethod
    def forward(self, x_SNC: Tensor, tau: Tensor) -> Operator:
        """What it makes of the blocks: for G something to put before `@`, for local the blocks h_SNC."""

    @abstractmethod
    def flops(self, columns: int) -> Flops:
        """Operations; those of G hold its product with the blocks of `columns` numbers that local gives."""


class Learned(Pattern, ABC):
    """A pattern of matrices that do not depend on the input: made once a step, and constants once trained.

    Attributes:
        scaled: whether their rows and columns are scaled to sums of 1.
    """

    scaled: bool = True

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


class Folded(Pattern):
    """A learned pattern that learns no longer: its matrices are buffers."""

    def __init__(self, pattern: Learned, tau: Tensor, columns: int) -> None:
        super().__init__()
        with torch.no_grad():
            matrices = pattern.matrices(tau)
        self.names = [f"matrix_{i}" for i in range(len(matrices))]
        for name, matrix in zip(self.names, matrices, strict=True):
            self.register_buffer(name, matrix.clone())
        self.use = pattern.use
        self.cost = Flops(sample=pattern.flops(columns).sample)

    def matrices(self, _tau: Tensor) -> tuple[Tensor, ...]:
        """The constants."""
        return tuple(self.get_buffer(name) for name in self.names)

    def forward(self, x_SNC: Tensor, tau: Tensor) -> Operator:
        """`use` with the constants."""
        return self.use(x_SNC, self.matrices(tau))

    def flops(self, _columns: int) -> Flops:
        """Those of the pattern, without making the matrices."""
        return self.cost
