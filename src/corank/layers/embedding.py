"""From a batch's inputs to concatenated embeddings: ids of one width share one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from corank.features.batch import Batch, Side
from corank.features.schema import IdInput, InputSchema, NumberInput, SequenceInput, SideSchema
from corank.layers.batch_norm import BatchNorm
from corank.layers.flops import Flops, flops_of
from corank.layers.given import GivenVector
from corank.layers.history import HistoryConfig, HistoryPooling
from corank.layers.numbers import NumberEmbedding
from corank.layers.text_match import TextMatch

EmbeddingNorm = Literal["none", "batch"]


@dataclass(frozen=True)
class Slot:
    """Where one field lies in the concatenation."""

    name: str
    group: str
    width: int


class FeatureEmbedding(nn.Module):
    """Embed every field: the request side once a request, the sample side once a sample.

    Ids and sequences look up one table per embedding width, all fields' rows stacked in it; a sequence is the
    mean of its elements (ids, or hashed units of a text). Numbers are piecewise linear curves; given vectors
    are projected.

    Args:
        schema: the inputs.
        width: embedding width of fields that name none.
        history: vectors of that width that are made of histories, beside the means of their fields.
        match: a vector of that width of how much of the request's text is in the item's.
        norm: `batch` normalises every number of an output over its rows, the batch's requests or samples.

    Attributes:
        request_slots, sample_slots: the layout of the two outputs.
    """

    def __init__(
        self,
        schema: InputSchema,
        width: int,
        history: HistoryConfig | None = None,
        match: bool = False,
        norm: EmbeddingNorm = "none",
    ) -> None:
        super().__init__()
        self.tables = nn.ModuleDict()
        sides = (schema.request, schema.sample)
        offsets = _offsets([x for side in sides for x in (*side.ids, *side.sequences)], width)
        for table_width, rows in offsets.rows.items():
            table = nn.Embedding(rows, table_width)
            nn.init.normal_(table.weight, std=table_width**-0.5 * 0.1)
            self.tables[str(table_width)] = table
        self.request = _SideEmbedding(schema.request, width, offsets.of)
        self.sample = _SideEmbedding(schema.sample, width, offsets.of)
        self.request_slots, self.sample_slots = self.request.slots, self.sample.slots
        self.history: HistoryPooling | None = None
        if history is not None and history.pools:
            self.history = HistoryPooling(history, schema, width, offsets.of)
            once, each = self.history.slots()
            self.request_slots = [*self.request_slots, *(Slot(name, "sequence", width) for name in once)]
            self.sample_slots = [*self.sample_slots, *(Slot(name, "sequence", width) for name in each)]
        self.match = TextMatch(schema, width) if match else None
        if self.match is not None:
            self.sample_slots = [
                *self.sample_slots,
                *(Slot(name, "query", width) for name in self.match.names),
            ]

        self.request_norm, self.sample_norm = (
            _norm(norm, sum(slot.width for slot in slots))
            for slots in (self.request_slots, self.sample_slots)
        )

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Embeddings of the requests [R, E_request] and of the samples [S, E_sample]."""
        request_RE = self.request(batch.request, self.tables)
        sample_SE = self.sample(batch.sample, self.tables)
        if self.history is not None:
            once_RE, each_SE = self.history(batch, self.tables)
            request_RE = torch.cat([request_RE, once_RE], dim=1)
            sample_SE = torch.cat([sample_SE, each_SE], dim=1)
        if self.match is not None:
            sample_SE = torch.cat([sample_SE, self.match(batch)], dim=1)
        return self.request_norm(request_RE), self.sample_norm(sample_SE)

    def flops(self) -> Flops:
        """Of each side: means of sequences, curves of numbers, projections of given vectors, and the rest."""
        total = Flops(request=self.request.row_flops(), sample=self.sample.row_flops())
        parts = [part for part in (self.history, self.match) if part is not None]
        return sum((part.flops() for part in parts), total)


def _norm(kind: EmbeddingNorm, width: int) -> nn.Module:
    """Nothing to normalise where a side has no fields."""
    return BatchNorm(width) if kind == "batch" and width else nn.Identity()


@dataclass(frozen=True)
class _Offsets:
    rows: dict[int, int]  # width -> rows of its table
    of: dict[tuple[int, str], int]  # (width, vocabulary) -> its first row


def _offsets(inputs: list[IdInput | SequenceInput], width: int) -> _Offsets:
    """Stack the vocabularies of each width in one table."""
    rows: dict[int, int] = {}
    of: dict[tuple[int, str], int] = {}
    for field in inputs:
        key = (field.width or width, field.table)
        if key not in of:
            of[key] = rows.get(key[0], 0)
            rows[key[0]] = of[key] + field.cardinality
    return _Offsets(rows, of)


class _SideEmbedding(nn.Module):
    """The fields of one side; tables come from outside, for both sides use them."""

    def __init__(self, schema: SideSchema, width: int, offsets: dict[tuple[int, str], int]) -> None:
        super().__init__()
        self.slots: list[Slot] = []
        self.id_columns = _by_width(schema.ids, width)
        for id_width, columns in self.id_columns.items():
            first = torch.tensor([offsets[id_width, schema.ids[c].table] for c in columns])
            self.register_buffer(f"id_offset_{id_width}", first, persistent=False)
            self.register_buffer(f"id_column_{id_width}", torch.tensor(columns), persistent=False)
            self.slots += [Slot(schema.ids[c].name, schema.ids[c].group, id_width) for c in columns]

        self.sequences = [(s.width or width, offsets[s.width or width, s.table]) for s in schema.sequences]
        self.lengths = [s.length for s in schema.sequences]
        self.slots += [Slot(s.name, s.group, s.width or width) for s in schema.sequences]

        self.number_columns = _by_width(schema.numbers, width)
        self.numbers = nn.ModuleDict()
        for number_width, columns in self.number_columns.items():
            self.numbers[str(number_width)] = NumberEmbedding(len(columns), number_width)
            self.register_buffer(f"number_column_{number_width}", torch.tensor(columns), persistent=False)
            self.slots += [
                Slot(schema.numbers[c].name, schema.numbers[c].group, number_width) for c in columns
            ]

        self.vectors = nn.ModuleList(GivenVector(e.dim, e.width or width) for e in schema.embeddings)
        self.slots += [Slot(e.name, e.group, e.width or width) for e in schema.embeddings]

    def forward(self, side: Side, tables: nn.ModuleDict) -> Tensor:
        """Concatenated embeddings [n, E] of n requests or samples."""
        parts: list[Tensor] = []
        for width in self.id_columns:
            columns, offset = self.get_buffer(f"id_column_{width}"), self.get_buffer(f"id_offset_{width}")
            rows = side.ids.index_select(1, columns) + offset
            parts.append(tables[str(width)](rows).flatten(1))
        for (width, first), ids in zip(self.sequences, side.sequences, strict=True):
            parts.append(_mean_of_sequence(tables[str(width)], ids, first))
        for width in self.number_columns:
            columns = self.get_buffer(f"number_column_{width}")
            parts.append(self.numbers[str(width)](side.numbers.index_select(1, columns)).flatten(1))
        for project, vector in zip(self.vectors, side.embeddings, strict=True):
            parts.append(project(vector))
        return torch.cat(parts, dim=1) if parts else side.numbers.new_zeros(side.ids.shape[0], 0)

    def row_flops(self) -> int:
        """Operations of one row of this side."""
        means = sum(2 * L * width for (width, _), L in zip(self.sequences, self.lengths, strict=True))
        return means + (flops_of(self.numbers) + flops_of(self.vectors)).sample


def _mean_of_sequence(table: nn.Module, ids_nL: Tensor, offset: int) -> Tensor:
    """The mean of the elements that are there; zero where there is none."""
    present_nL = (ids_nL > 0).to(torch.float32)
    rows_nLE = table(ids_nL + offset)
    total = torch.einsum("nle,nl->ne", rows_nLE, present_nL)
    return total / present_nL.sum(1, keepdim=True).clamp_min(1)


def _by_width(inputs: Sequence[IdInput | NumberInput], width: int) -> dict[int, list[int]]:
    """Columns of the fields of each width."""
    columns: dict[int, list[int]] = {}
    for i, field in enumerate(inputs):
        columns.setdefault(field.width or width, []).append(i)
    return columns
