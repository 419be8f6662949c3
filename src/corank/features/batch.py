"""A batch: request-side tensors once a request, sample-side tensors, and which request a sample is of."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Side:
    """The inputs of R requests or of S samples (n below), columns in the order of the schema.

    Attributes:
        ids: int64 [n, number of id fields].
        numbers: float32 [n, number of number fields], 0..1, NaN where missing.
        sequences: one int64 tensor [n, length] a sequence field, 0 where there are fewer elements.
        embeddings: one float32 tensor [n, dim] an embedding field, NaN where missing.
    """

    ids: Tensor
    numbers: Tensor
    sequences: list[Tensor]
    embeddings: list[Tensor]

    def to(self, device: torch.device | str) -> Side:
        """The same on another device."""
        return Side(
            self.ids.to(device, non_blocking=True),
            self.numbers.to(device, non_blocking=True),
            [x.to(device, non_blocking=True) for x in self.sequences],
            [x.to(device, non_blocking=True) for x in self.embeddings],
        )


@dataclass(frozen=True)
class Batch:
    """R requests with S samples in all, a request's samples side by side.

    Attributes:
        request: the R requests' inputs.
        sample: the S samples' inputs.
        request_of_S: int64 [S], the row of each sample's request, ascending.
    """

    request: Side
    sample: Side
    request_of_S: Tensor

    @property
    def requests(self) -> int:
        """R."""
        return self.request.ids.shape[0]

    @property
    def samples(self) -> int:
        """S."""
        return self.request_of_S.shape[0]

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        return Batch(
            self.request.to(device), self.sample.to(device), self.request_of_S.to(device, non_blocking=True)
        )


@dataclass(frozen=True)
class Labels:
    """What a loss and a metric need beside the scores, for S samples.

    Attributes:
        click_S, purchase_S: float32 0/1.
        weight_S: float32.
        position_S: int64, where the sample was shown, 1 the top, 0 where it was not; for losses, never an
            input. None where nothing tells.
        attributed_S: bool, whether the label came about elsewhere. None where nothing tells.
    """

    click_S: Tensor
    purchase_S: Tensor
    weight_S: Tensor
    position_S: Tensor | None = None
    attributed_S: Tensor | None = None

    def to(self, device: torch.device | str) -> Labels:
        """The same on another device."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        there = {name: part for name, part in parts.items() if part is not None}
        return replace(self, **{name: part.to(device, non_blocking=True) for name, part in there.items()})

    def of(self, task: str) -> Tensor:
        """The labels of a task, `click` or `purchase`."""
        return {"click": self.click_S, "purchase": self.purchase_S}[task]


torch.export.register_dataclass(Side, serialized_type_name="corank.Side")
torch.export.register_dataclass(Batch, serialized_type_name="corank.Batch")
