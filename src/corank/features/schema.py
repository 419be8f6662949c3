"""The shape of a model's input: what `create_model` needs to know, and all it needs to know."""

from __future__ import annotations

from typing import Literal

from corank.config import Config

Side = Literal["request", "sample"]


class IdInput(Config):
    """A field of ids: codes 0 (missing), 1 (rare or unseen), 2... (the vocabulary)."""

    name: str
    group: str
    table: str  # fields of one table share codes and embeddings
    cardinality: int  # number of codes, 0 and 1 included
    width: int | None = None  # embedding width; None: the model's


class SequenceInput(IdInput):
    """Several ids; `length` at the most, 0 where there are fewer."""

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
