"""The members of the unified view that learn no constant matrix: attention, TokenMixer, FM."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field as Bound
from torch import Tensor, nn

from corank.layers.flops import Flops
from corank.layers.operators import Factored, Permutation, blockwise
from corank.layers.patterns import GlobalPattern, LocalPattern, MixingShape, Pattern


class Attention(GlobalPattern):
    """`G = softmax( (X W_Q)(X W_K)^T / sqrt(d) )`, one head (Vaswani et al. 2017, arXiv 1706.03762).

    `token_specific`: every block has its own W_Q and W_K (heterogeneous; HiFormer, arXiv 2311.05884).
    """

    token_specific: bool = False

    def build(self, shape: MixingShape) -> Pattern:
        """The module."""
        return _Attention(shape, self.token_specific)


class _Attention(Pattern):
    def __init__(self, shape: MixingShape, token_specific: bool) -> None:
        super().__init__()
        self.shape = shape
        self.query = _weight(shape, token_specific)
        self.key = _weight(shape, token_specific)

    def forward(self, x_SNC: Tensor, _tau: Tensor) -> Tensor:
        q_SNC, k_SNC = _project(x_SNC, self.query), _project(x_SNC, self.key)
        return F.softmax(q_SNC @ k_SNC.mT * x_SNC.shape[-1] ** -0.5, dim=-1)

    def flops(self, columns: int) -> Flops:
        N, B = self.shape.blocks, self.shape.block
        return Flops(sample=4 * N * B * B + 2 * N * N * B + 2 * N * N * columns)


class TokenPermutation(GlobalPattern):
    """G puts head h of every token side by side (TokenMixer; RankMixer, arXiv 2507.15551, section 3.3)."""

    heads: int | None = Bound(default=None, ge=1)  # H; T if not given, as residuals need

    def build(self, shape: MixingShape) -> Pattern:
        """The module.

        Raises:
            CorankError: a head is not a whole number of blocks.
        """
        return _TokenPermutation(shape.token_mixer_order(self.out_tokens(shape)))

    def out_tokens(self, shape: MixingShape) -> int:
        """H."""
        return self.heads or shape.tokens


class _TokenPermutation(Pattern):
    def __init__(self, order_N: Tensor) -> None:
        super().__init__()
        self.register_buffer("order_N", order_N, persistent=False)
        self.order_N: Tensor

    def forward(self, _x_SNC: Tensor, _tau: Tensor) -> Permutation:
        return Permutation(self.order_N)

    def flops(self, _columns: int) -> Flops:
        return Flops()


class Gram(GlobalPattern):
    """`G = X X^T`, no softmax, no scale (FM, Rendle 2010; Wukong's X X^T Y, arXiv 2403.02545).

    Multiplied from the right, X (X^T Y), as Wukong does.
    """

    def build(self, shape: MixingShape) -> Pattern:
        """The module."""
        return _Gram(shape)


class _Gram(Pattern):
    def __init__(self, shape: MixingShape) -> None:
        super().__init__()
        self.numbers = shape.blocks * shape.block

    def forward(self, x_SNC: Tensor, _tau: Tensor) -> Factored:
        return Factored(x_SNC, x_SNC.mT)

    def flops(self, columns: int) -> Flops:
        return Flops(sample=4 * self.numbers * columns)


class Identity(LocalPattern):
    """`local(X) = X`."""

    def build(self, _shape: MixingShape) -> Pattern:
        """The module."""
        return _Identity()


class _Identity(Pattern):
    def forward(self, x_SNC: Tensor, _tau: Tensor) -> Tensor:
        return x_SNC

    def flops(self, _columns: int) -> Flops:
        return Flops()


class Projection(LocalPattern):
    """`local(X) = X W_V`; `token_specific`: x_i W_V^i."""

    token_specific: bool = False

    def build(self, shape: MixingShape) -> Pattern:
        """The module."""
        return _Projection(shape, self.token_specific)


class _Projection(Pattern):
    def __init__(self, shape: MixingShape, token_specific: bool) -> None:
        super().__init__()
        self.numbers = shape.blocks * shape.block
        self.value = _weight(shape, token_specific)

    def forward(self, x_SNC: Tensor, _tau: Tensor) -> Tensor:
        return _project(x_SNC, self.value)

    def flops(self, columns: int) -> Flops:
        return Flops(sample=2 * self.numbers * columns)


class Free(LocalPattern):
    """`local(X) = Y`, learned, N x k, whatever X is (Wukong's Y)."""

    columns: int = Bound(ge=1)  # k

    def out_block(self, _shape: MixingShape) -> int:
        """k."""
        return self.columns

    def build(self, shape: MixingShape) -> Pattern:
        """The module."""
        return _Free(shape, self.columns)


class _Free(Pattern):
    def __init__(self, shape: MixingShape, columns: int) -> None:
        super().__init__()
        self.y_NC = nn.Parameter(torch.randn(shape.blocks, columns) * shape.blocks**-0.5)

    def forward(self, x_SNC: Tensor, _tau: Tensor) -> Tensor:
        return self.y_NC.to(x_SNC.dtype).expand(x_SNC.shape[0], -1, -1)

    def flops(self, _columns: int) -> Flops:
        return Flops()


def _weight(shape: MixingShape, token_specific: bool) -> nn.Parameter:
    """[B, B], or [N, B, B]."""
    bound = shape.block**-0.5
    size = (shape.block, shape.block)
    return nn.Parameter(
        torch.empty((shape.blocks, *size) if token_specific else size).uniform_(-bound, bound)
    )


def _project(x_SNC: Tensor, w: Tensor) -> Tensor:
    return blockwise(x_SNC, w) if w.dim() == 3 else x_SNC @ w.to(x_SNC.dtype)
