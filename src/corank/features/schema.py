"""The shape of a model's input: what `create_model` needs to know, and all it needs to know."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from corank.config import Config
from corank.errors import CorankError, unknown

Side = Literal["request", "sample"]
FIRST = 2
"""The code of the first of a vocabulary; before it 0, missing, and 1, rare or unseen."""


class IdInput(Config):
    """A field of ids: codes 0 (missing), 1 (rare or unseen), 2... (the vocabulary)."""

    name: str
    group: str
    table: str  # fields of one table share codes and embeddings
    cardinality: int  # number of codes, 0 and 1 included
    width: int | None = None  # embedding width; None: the model's
    values: tuple[str, ...] = ()  # the vocabulary as text, in order; of the domain of requests and of events


class SequenceInput(IdInput):
    """Several ids, or hashed units of a text; `length` at the most, 0 where there are fewer."""

    length: int


class NumberInput(Config):
    """A field of numbers, scaled to 0..1; NaN where missing."""

    name: str
    group: str
    width: int | None = None


class EmbeddingInput(Config):
    """A given vector of `dim` numbers; all NaN where missing."""

    name: str
    group: str
    dim: int
    width: int | None = None  # of what it is projected to


class SideSchema(Config):
    """The inputs of one side, in the order of the batch's columns."""

    ids: tuple[IdInput, ...] = ()
    numbers: tuple[NumberInput, ...] = ()
    sequences: tuple[SequenceInput, ...] = ()
    embeddings: tuple[EmbeddingInput, ...] = ()

    @property
    def count(self) -> int:
        """Number of fields."""
        return len(self.ids) + len(self.numbers) + len(self.sequences) + len(self.embeddings)


class InputSchema(Config):
    """All inputs: those of a request (computed once a request) and those of a sample."""

    request: SideSchema = SideSchema()
    sample: SideSchema = SideSchema()

    def domains(self) -> Domains:
        """The domains that training saw; one, without a column, where no request field tells any.

        Raises:
            CorankError: several request fields of kind id are in the group `domain`.
        """
        found = [i for i, field in enumerate(self.request.ids) if field.group == "domain"]
        if not found:
            return Domains()
        if len(found) > 1:
            both = " and ".join(f"'{self.request.ids[i].name}'" for i in found)
            raise CorankError(f"features: {both} are both in the group domain; a sample has one domain")
        field = self.request.ids[found[0]]
        names = field.values or tuple(str(code) for code in range(FIRST, field.cardinality))
        return Domains(column=found[0], names=names) if names else Domains()


class Domains(Config):
    """The domains that models and losses tell apart: the vocabulary of the field in the group `domain`.

    Attributes:
        column: of a request's ids; None where no field tells the domain.
        names: the most frequent in training first.
    """

    column: int | None = None
    names: tuple[str, ...] = ("all",)

    def index(self, name: str, where: str) -> int:
        """The number of a domain by its name.

        Raises:
            CorankError: training saw no such domain, or no field tells the domain.
        """
        if name not in self.names and self.column is None:
            raise CorankError(f"{where}: domain '{name}' is not known, for the features tell no domain")
        if name not in self.names:
            raise unknown("domain", name, self.names, where)
        return self.names.index(name)

    def of_requests(self, ids_RF: Tensor) -> Tensor:
        """The number [R] of each request's domain; 0 for one that training did not see, or for none."""
        if self.column is None:
            return ids_RF.new_zeros(ids_RF.shape[0])
        return (ids_RF[:, self.column] - FIRST).clamp_min(0)

    def known(self, ids_RF: Tensor, unseen: int) -> Tensor:
        """The ids [R, F] with a domain that training did not see, or none, replaced by that of a number."""
        if self.column is None:
            return ids_RF
        here_F = torch.arange(ids_RF.shape[1], device=ids_RF.device) == self.column
        return torch.where(here_F & (ids_RF < FIRST), FIRST + unseen, ids_RF)
