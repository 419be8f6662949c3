"""From field embeddings to tokens: even slices, one token a semantic group, or one a field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from typing import Literal

import torch
from pydantic import Field as Bound
from torch import Tensor, nn

from corank.config import Config
from corank.errors import CorankError
from corank.layers.embedding import Slot
from corank.layers.flops import Flops

Kind = Literal["slices", "groups", "fields"]
Contents = Mapping[Slot, int]
"""The fields that a token holds, and how many of their numbers."""


class TokenizerConfig(Config):
    """How embeddings become tokens."""

    kind: Kind = "slices"
    tokens: int = Bound(
        default=8, ge=1
    )  # T; `groups` and `fields` have as many as there are groups or fields

    def build(self, request: list[Slot], sample: list[Slot], width: int) -> Tokenizer:
        """The module for this layout of embeddings.

        Raises:
            CorankError: there are fewer numbers than slices.
        """
        return Tokenizer(request, sample, width, self)


class Tokenizer(nn.Module):
    """`x_i = W_i E_i + b_i`: each token projects its own part of the concatenated embeddings E.

    * `slices` (UniMixer): E in T even slices; the first |E| mod T take one number more;
    * `groups` (HHFT, TokenMixer-Large): the fields of one semantic group;
    * `fields` (AutoInt, Wukong): one field.

    The request's fields come first in E, and tokens made of them alone are computed once a request.

    Args:
        request, sample: layout of the two parts of E.
        width: D.
        config: the kind, and T for slices.

    Attributes:
        names: what each token is called.
        contents: what each token is made of: how many numbers of each field's embedding.
    """

    def __init__(self, request: list[Slot], sample: list[Slot], width: int, config: TokenizerConfig) -> None:
        super().__init__()
        self.width = width
        order_r, order_s = _order(request, config.kind), _order(sample, config.kind)
        self.register_buffer("column_r", torch.tensor(order_r, dtype=torch.int64), persistent=False)
        self.register_buffer("column_s", torch.tensor(order_s, dtype=torch.int64), persistent=False)
        self.column_r: Tensor
        self.column_s: Tensor
        total_r, total = len(order_r), len(order_r) + len(order_s)
        if config.kind == "slices":
            if total < config.tokens:
                raise CorankError(f"tokenizer: {config.tokens} slices of {total} embedding numbers")
            short, more = divmod(total, config.tokens)
            self.sizes = [short + 1] * more + [short] * (config.tokens - more)
            self.names = [f"slice {i}" for i in range(config.tokens)]
        else:
            parts = [part for side in (request, sample) for part in _parts(side, config.kind)]
            self.sizes = [size for _, size in parts]
            self.names = [name for name, _ in parts]
        columns = [*_owners(request, order_r), *_owners(sample, order_s)]
        ends = list(accumulate(self.sizes))
        self.contents: list[Contents] = [
            Counter(columns[end - size : end]) for end, size in zip(ends, self.sizes, strict=True)
        ]
        self.request_tokens = sum(end <= total_r for end in ends)
        self.request_columns = sum(self.sizes[: self.request_tokens])
        self.projections = nn.ModuleList(nn.Linear(size, width) for size in self.sizes)

    @property
    def tokens(self) -> int:
        """T."""
        return len(self.sizes)

    def forward(self, request_RE: Tensor, sample_SE: Tensor, request_of_S: Tensor) -> Tensor:
        """Embeddings of requests and samples to tokens [S, T, D]."""
        request_RE = request_RE.index_select(1, self.column_r)
        sample_SE = sample_SE.index_select(1, self.column_s)
        once_RE, rest_RE = request_RE.tensor_split([self.request_columns], dim=1)
        each_SE = torch.cat([rest_RE.index_select(0, request_of_S), sample_SE], dim=1)
        k = self.request_tokens
        parts = [self._project(once_RE, 0, k).index_select(0, request_of_S)] if k else []
        parts += [self._project(each_SE, k, self.tokens)] if k < self.tokens else []
        return torch.cat(parts, dim=1)

    def flops(self) -> Flops:
        """`2 D` times the width of E: once a request for tokens of it alone, once a sample for others."""
        each, k = [2 * size * self.width for size in self.sizes], self.request_tokens
        return Flops(request=sum(each[:k]), sample=sum(each[k:]))

    def _project(self, e_SE: Tensor, first: int, last: int) -> Tensor:
        """Tokens first..last of their slices [n, last - first, D]."""
        slices = torch.split(e_SE, self.sizes[first:last], dim=1)
        pairs = zip(slices, list(self.projections)[first:last], strict=True)
        return torch.stack([project(e_Se) for e_Se, project in pairs], dim=1)


def _parts(slots: list[Slot], kind: Kind) -> list[tuple[str, int]]:
    """Name and width of each part, in order."""
    if kind == "fields":
        return [(slot.name, slot.width) for slot in slots]
    sizes: dict[str, int] = {}
    for slot in slots:
        sizes[slot.group] = sizes.get(slot.group, 0) + slot.width
    return list(sizes.items())


def _order(slots: list[Slot], kind: Kind) -> list[int]:
    """Columns of E with each group's fields side by side; slices keep groups together too."""
    groups = list(dict.fromkeys(slot.group for slot in slots))
    starts = list(accumulate((slot.width for slot in slots), initial=0))
    columns: list[int] = []
    ranked = sorted(range(len(slots)), key=lambda i: groups.index(slots[i].group))
    for i in range(len(slots)) if kind == "fields" else ranked:
        columns += range(starts[i], starts[i] + slots[i].width)
    return columns


def _owners(slots: list[Slot], order: list[int]) -> list[Slot]:
    """The field of each column of E in its new order."""
    owners = [slot for slot in slots for _ in range(slot.width)]
    return [owners[column] for column in order]
