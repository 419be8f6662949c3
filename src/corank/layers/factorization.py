"""Factorization machines (Rendle 2010): all pairs of fields in linear time, the request's part once."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers.embedding import Slot
from corank.layers.flops import Flops


class FactorizationMachine(nn.Module):
    """`sum_f w_f` and `sum_{f<g} <v_f, v_g> = (|sum_f v_f|^2 - sum_f |v_f|^2) / 2`.

    Every field's embedding is its vector v and, as the last number, its first-order weight w. The sums over
    the request's fields are taken once a request.

    Args:
        request, sample: layout of the two parts of the embeddings.
        width: width of every field's embedding: that of v, and 1.

    Raises:
        CorankError: a field has another width, or `width` leaves nothing for v.
    """

    def __init__(self, request: list[Slot], sample: list[Slot], width: int) -> None:
        super().__init__()
        if width < 2:
            raise CorankError(f"factorization machine: embedding_width {width}; expected 2 or more")
        for slot in (*request, *sample):
            if slot.width != width:
                raise CorankError(
                    f"factorization machine: field '{slot.name}' is {slot.width} wide; "
                    f"expected embedding_width, {width}, for every field"
                )
        self.width = width

    def forward(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings of requests and samples to [S, 2]: the first-order and the second-order sum."""
        once, each = self._sums(request_RE), self._sums(sample_SE)
        first_S, v_SD, square_S = (
            r.index_select(0, request_of_S) + s for r, s in zip(once, each, strict=True)
        )
        return torch.stack([first_S, (v_SD.square().sum(1) - square_S) / 2], dim=1)

    def split(self, e_nE: Tensor) -> tuple[Tensor, Tensor]:
        """v [n, F, width - 1] and w [n, F] of the fields of a side."""
        e_nFE = e_nE.reshape(e_nE.shape[0], e_nE.shape[1] // self.width, self.width)
        return e_nFE[..., :-1], e_nFE[..., -1]

    def _sums(self, e_nE: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Over the fields of a side: of w [n], of v [n, width - 1], of |v|^2 [n]."""
        v_nFD, w_nF = self.split(e_nE)
        return w_nF.sum(1), v_nFD.sum(1), v_nFD.square().sum((1, 2))

    def flops(self) -> Flops:
        """None: sums and squares, no product of matrices."""
        return Flops()
