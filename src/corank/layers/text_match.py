"""How much of what a request says stands in an item's text: the overlap of their units, as a number."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from corank.errors import CorankError
from corank.features.batch import Batch
from corank.features.schema import FIRST, InputSchema
from corank.layers.flops import Flops
from corank.layers.numbers import NumberEmbedding


class TextMatch(nn.Module):
    """`share = |{i : q_i in t}| / |q|` of every pair of a request's units q and an item's t, as a curve.

    Units are compared by their codes, so those of hashed texts match though training saw neither; of a
    vocabulary, rare and unseen ones match nothing. Missing where q has none.

    Args:
        schema: pairs are its request and sample sequences of one table; histories are left out.
        width: of each pair's vector.

    Raises:
        CorankError: there is no such pair.
    """

    def __init__(self, schema: InputSchema, width: int) -> None:
        super().__init__()
        asked = [(i, q) for i, q in enumerate(schema.request.sequences) if q.group != "sequence"]
        pairs = [
            (i, j, f"{q.name} in {t.name}")
            for i, q in asked
            for j, t in enumerate(schema.sample.sequences)
            if q.table == t.table
        ]
        if not pairs:
            raise CorankError(
                "text_match: no text of requests and of items share embeddings; give one `shares` in the spec"
            )
        self.pairs = [(i, j) for i, j, _ in pairs]
        self.names = [name for *_, name in pairs]
        self.curve = NumberEmbedding(len(pairs), width)

    def forward(self, batch: Batch) -> Tensor:
        """Vectors of the samples [S, P * width]."""
        request, sample, of_S = batch.request.sequences, batch.sample.sequences, batch.request_of_S
        shares = [self._share(request[i].index_select(0, of_S), sample[j]) for i, j in self.pairs]
        vectors_SE: Tensor = self.curve(torch.stack(shares, dim=1)).flatten(1)
        return vectors_SE

    @staticmethod
    def _share(q_SL: Tensor, t_Sl: Tensor) -> Tensor:
        """The share [S] of the units of q that are in t; NaN where q has none."""
        found_SL = (q_SL.unsqueeze(2) == t_Sl.unsqueeze(1)).any(2) & (q_SL >= FIRST)
        return found_SL.float().sum(1) / (q_SL > 0).float().sum(1)

    def flops(self) -> Flops:
        """Of the curve; comparisons do not count."""
        return self.curve.flops()
