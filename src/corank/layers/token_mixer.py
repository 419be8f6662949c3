"""Parameter-free token mixing (RankMixer, arXiv 2507.15551, section 3.3; MLP-free TokenMixer)."""

from __future__ import annotations

from torch import Tensor, nn

from corank.errors import CorankError


class TokenMixer(nn.Module):
    """Split each token into H heads; token h of the output is head h of every token, concatenated.

    A fixed permutation of the T * D numbers. Only the residual use needs H = T.

    Args:
        width: token width D.
        heads: H.

    Raises:
        CorankError: H does not divide D.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise CorankError(f"token mixer: {heads} heads do not divide the token width {width}")
        self.heads = heads

    def forward(self, x_STD: Tensor) -> Tensor:
        """[S, T, D] to [S, H, T * D / H].

        >>> import torch
        >>> x = torch.arange(1, 13).reshape(1, 2, 6)
        >>> TokenMixer(width=6, heads=2)(x).tolist()
        [[[1, 2, 3, 7, 8, 9], [4, 5, 6, 10, 11, 12]]]
        """
        S, T, D = x_STD.shape
        x_STHd = x_STD.reshape(S, T, self.heads, D // self.heads)
        return x_STHd.transpose(1, 2).reshape(S, self.heads, T * D // self.heads)
