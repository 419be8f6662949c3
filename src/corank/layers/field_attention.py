"""Attention aware of fields (FAT, arXiv 2511.12081): projections from shared bases, a weight a field pair."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from corank.layers.attention import Attend
from corank.layers.flops import Flops


class BasisLinear(nn.Module):
    """`y_f = x_f W_f + b_f` with `W_f = sum_l c_f^l B_l`: weights of each field from V shared matrices.

    Args:
        tokens: T, one a field.
        width, out: input and output width.
        basis: V.
    """

    def __init__(self, tokens: int, width: int, out: int, basis: int) -> None:
        super().__init__()
        bound = width**-0.5
        self.basis_VDo = nn.Parameter(torch.empty(basis, width, out).uniform_(-bound, bound))
        self.share_TV = nn.Parameter(torch.randn(tokens, basis) * basis**-0.5)
        self.bias = nn.Parameter(torch.zeros(tokens, 1, out))

    def forward(self, x_TSD: Tensor) -> Tensor:
        """[T, S, width] to [T, S, out]."""
        w_TDo = torch.einsum("tv,vdo->tdo", self.share_TV, self.basis_VDo)
        return torch.baddbmm(self.bias, x_TSD, w_TDo)

    def flops(self) -> Flops:
        """With `w = width * out`: `2 T V w` a step for the weights, `2 T w` a sample."""
        (T, V), w = self.share_TV.shape, self.basis_VDo[0].numel()
        return Flops(step=2 * T * V * w, sample=2 * T * w)


class FieldAttention(nn.Module):
    """`softmax_j( w_{f_i,f_j} q_i . k_j / sqrt(d) )`, with q, k, v and the output projected field by field.

    Args:
        tokens: T, one a field.
        width: D.
        heads: H; they share the pair weights.
        basis: matrices that the weights of all fields are composed of, for each of the four projections.

    Raises:
        CorankError: H does not divide D.
    """

    def __init__(self, tokens: int, width: int, heads: int, basis: int) -> None:
        super().__init__()
        self.attend = Attend(tokens, width, heads)
        self.pair = PairWeight(tokens)
        self.q, self.k, self.v, self.out = (BasisLinear(tokens, width, width, basis) for _ in range(4))

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, T, D]."""
        x_TSD = x_STD.transpose(0, 1)
        q_STD, k_STD, v_STD = (project(x_TSD).transpose(0, 1) for project in (self.q, self.k, self.v))
        o_STD = self.attend(q_STD, k_STD, v_STD, self.pair.weight_TT)
        out_TSD: Tensor = self.out(o_STD.transpose(0, 1))
        return out_TSD.transpose(0, 1)


class PairWeight(nn.Module):
    """`w_{f_i,f_j}`: a factor of the scores of two fields; all are 1 at first, as in plain attention."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.weight_TT = nn.Parameter(torch.ones(tokens, tokens))

    def flops(self) -> Flops:
        """None: the scores are multiplied element by element."""
        return Flops()
