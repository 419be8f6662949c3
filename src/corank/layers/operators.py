"""Matrices between blocks, and their products with the blocks of all samples in a fast order of memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Dense:
    """One matrix [N, N] for all samples: one large product instead of one a sample."""

    w_NN: Tensor

    def __matmul__(self, h_SNC: Tensor) -> Tensor:
        """W h for every sample, [S, N, C]."""
        w_NN = self.w_NN.to(h_SNC.dtype)
        return _blocks(_rows(w_NN, _columns(h_SNC)), h_SNC)

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
        return _blocks((right @ _columns(h_SNC)).t() @ left.t(), h_SNC)

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


def _columns(h_SNC: Tensor) -> Tensor:
    """[N, S * C]: a view of what `blockwise` gives, else of a copy that stays within each sample."""
    S, N, C = h_SNC.shape
    if h_SNC.stride(0) == C:
        return h_SNC.transpose(0, 1).reshape(N, S * C)
    return h_SNC.transpose(1, 2).reshape(S * C, N).t()


def _blocks(rows: Tensor, like_SNC: Tensor) -> Tensor:
    """[S * C, N] as [S, N, C]: what a product leaves in this order is put in order sample by sample."""
    S, N, C = like_SNC.shape
    return rows.view(S, C, N).transpose(1, 2)


class _Rows(torch.autograd.Function):
    """(W H)^T, [m, N], with the gradient of H in the order of H: the small products before it want that."""

    @staticmethod
    def forward(ctx: Any, w_NN: Tensor, h_Nm: Tensor) -> Tensor:
        ctx.save_for_backward(w_NN, h_Nm)
        return h_Nm.t() @ w_NN.t()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor]:
        (w_NN, h_Nm), (g_mN,) = ctx.saved_tensors, grads
        return g_mN.t() @ h_Nm.t(), w_NN.t() @ g_mN.t()


_rows: Callable[[Tensor, Tensor], Tensor] = _Rows.apply  # torch gives `apply` no types
