"""Matrices between blocks, and their products with the blocks of all samples in a fast order of memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Dense:
    """One matrix [N, N] for all samples: one large product instead of one a sample."""

    w_NN: Tensor

    def __matmul__(self, h_SNC: Tensor) -> Tensor:
        """W h for every sample, [S, N, C]."""
        w_NN = self.w_NN.to(h_SNC.dtype)
        return _to_blocks(_to_rows(h_SNC) @ w_NN.t(), h_SNC)

    def full(self) -> Tensor:
        """[N, N]."""
        return self.w_NN


@dataclass(frozen=True)
class Factored:
    """A product of two factors, [N, r] and [r, N] or one pair a sample, that is never multiplied out."""

    left: Tensor
    right: Tensor

    def __matmul__(self, h_SNC: Tensor) -> Tensor:
        """left (right h) for every sample, [S, N, C]."""
        left, right = self.left.to(h_SNC.dtype), self.right.to(h_SNC.dtype)
        if left.dim() == 3:
            return left @ (right @ h_SNC)
        return _to_blocks(_to_rows(h_SNC) @ right.t() @ left.t(), h_SNC)

    def full(self) -> Tensor:
        """[N, N], for a picture of it."""
        return self.left @ self.right


@dataclass(frozen=True)
class Permutation:
    """Block n of the result is block order[n]."""

    order_N: Tensor

    def __matmul__(self, h_SNC: Tensor) -> Tensor:
        """The blocks in their new order, [S, N, C]."""
        return h_SNC.index_select(1, self.order_N)

    def full(self) -> Tensor:
        """[N, N]."""
        return torch.eye(len(self.order_N), device=self.order_N.device)[self.order_N]


Operator = Dense | Factored | Permutation | Tensor
"""All understand `@`; a tensor is one matrix a sample [S, N, N]."""


def blockwise(x_SNC: Tensor, w_NCC: Tensor) -> Tensor:
    """`h_n = x_n W_n` in every sample, [S, N, C] as a view of [N, S, C]."""
    return torch.bmm(x_SNC.transpose(0, 1), w_NCC.to(x_SNC.dtype)).transpose(0, 1)


def _to_rows(h_SNC: Tensor) -> Tensor:
    """[S * C, N]: a view of what `blockwise` gives, else a copy that stays within each sample."""
    S, N, C = h_SNC.shape
    if h_SNC.stride(0) == C:
        return h_SNC.transpose(0, 1).reshape(N, S * C).t()
    return h_SNC.transpose(1, 2).reshape(S * C, N)


def _to_blocks(rows: Tensor, like_SNC: Tensor) -> Tensor:
    """[S * C, N] as [S, N, C]."""
    S, N, C = like_SNC.shape
    return rows.view(S, C, N).transpose(1, 2)
