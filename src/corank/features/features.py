"""Fitted features: spec, vocabularies, number scales of one training split; they travel with the model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError
from corank.features.schema import (
    EmbeddingInput,
    IdInput,
    InputSchema,
    NumberInput,
    SequenceInput,
    SideSchema,
)
from corank.features.spec import FeatureSpec, Field
from corank.features.texts import Hashing
from corank.features.transforms import Quantiles, Vocabulary
from corank.features.vectors import Vectors
from corank.files import read_json, whole_folder, write_json


@dataclass(frozen=True)
class Features:
    """What was learned from the training split to turn columns into tensors.

    Attributes:
        spec: the fields, patterns expanded.
        vocabularies: by the field that owns the table (`Field.shares` or itself).
        scales: by number field.
        hashings: by the text field that owns the buckets (`Field.shares` or itself).
        vectors: by embedding field.
        seen_items, seen_users: ids in the training split, to tell cold ones.
    """

    spec: FeatureSpec
    vocabularies: dict[str, Vocabulary]
    scales: dict[str, Quantiles]
    hashings: dict[str, Hashing]
    vectors: dict[str, Vectors]
    seen_items: pa.Array
    seen_users: pa.Array

    def fields(self, side: str) -> list[Field]:
        """The fields of a side (`request` or `sample`), in the order of a batch's columns: by source."""
        sources = ("request", "history") if side == "request" else ("item", "list")
        return [field for source in sources for field in self.spec.fields if field.source == source]

    def table_of(self, field: Field) -> str:
        """The vocabulary or buckets (and embedding table) that an id, sequence or text field uses."""
        return field.shares or field.label

    @property
    def schema(self) -> InputSchema:
        """The shape of a model's input."""
        return InputSchema(request=self._side("request"), sample=self._side("sample"))

    def _side(self, side: str) -> SideSchema:
        fields = self.fields(side)
        return SideSchema(
            ids=tuple(self._id(f, side) for f in fields if f.kind == "id"),
            numbers=tuple(
                NumberInput(name=f.label, group=f.group, width=f.width) for f in fields if f.kind == "number"
            ),
            sequences=tuple(self._sequence(f) for f in fields if f.kind in ("sequence", "text")),
            embeddings=tuple(
                EmbeddingInput(name=f.label, group=f.group, dim=self.vectors[f.label].dim, width=f.width)
                for f in fields
                if f.kind == "embedding"
            ),
        )

    def _id(self, field: Field, side: str) -> IdInput:
        table = self.table_of(field)
        told = field.group == "domain" and side == "request"
        return IdInput(
            name=field.label,
            group=field.group,
            table=table,
            cardinality=self.vocabularies[table].cardinality,
            width=field.width,
            values=self._values(table) if told else (),
        )

    def _sequence(self, field: Field) -> SequenceInput:
        table = self.table_of(field)
        told = field.source == "history" and field.column == "domain"
        codes = self.hashings if field.kind == "text" else self.vocabularies
        return SequenceInput(
            name=field.label,
            group=field.group,
            table=table,
            cardinality=codes[table].cardinality,
            width=field.width,
            length=field.length,
            values=self._values(table) if told else (),
        )

    def _values(self, table: str) -> tuple[str, ...]:
        """A vocabulary as text."""
        return tuple(str(value) for value in self.vocabularies[table].values.to_pylist())

    def save(self, folder: Path) -> None:
        """Write as a folder: spec.yaml, statistics.json and one Parquet file a vocabulary."""
        with whole_folder(folder, overwrite=True) as aside:
            self.spec.write(aside / "spec.yaml")
            write_json(aside / "schema.json", self.schema.model_dump(mode="json"))
            files = {name: f"vocabulary-{i:03d}.parquet" for i, name in enumerate(sorted(self.vocabularies))}
            for name, file in files.items():
                pq.write_table(pa.table({"value": self.vocabularies[name].values}), aside / file)
            pq.write_table(pa.table({"item_id": self.seen_items}), aside / "seen_items.parquet")
            pq.write_table(pa.table({"user_id": self.seen_users}), aside / "seen_users.parquet")
            write_json(
                aside / "statistics.json",
                {
                    "vocabularies": files,
                    "knots": {name: list(scale.knots) for name, scale in self.scales.items()},
                    "buckets": {name: hashing.buckets for name, hashing in self.hashings.items()},
                    "vectors": {name: asdict(vectors) for name, vectors in self.vectors.items()},
                },
            )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            CorankError: the folder is incomplete or damaged.
        """
        statistics = read_json(folder / "statistics.json")
        try:
            vocabularies = {
                name: Vocabulary(_column(folder / Path(file).name, "value"))
                for name, file in statistics["vocabularies"].items()
            }
            scales = {name: Quantiles(tuple(knots)) for name, knots in statistics["knots"].items()}
            hashings = {name: Hashing(int(buckets)) for name, buckets in statistics["buckets"].items()}
            vectors = {name: Vectors.of(values) for name, values in statistics["vectors"].items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CorankError(f"{folder / 'statistics.json'}: not written by corank, or damaged") from None
        return cls(
            FeatureSpec.read(folder / "spec.yaml"),
            vocabularies,
            scales,
            hashings,
            vectors,
            _column(folder / "seen_items.parquet", "item_id"),
            _column(folder / "seen_users.parquet", "user_id"),
        )


def _column(path: Path, name: str) -> pa.Array:
    try:
        return pq.read_table(path, columns=[name])[name].combine_chunks()
    except (OSError, pa.ArrowInvalid, KeyError):
        raise CorankError(f"{path}: missing or damaged; expected a Parquet file with column {name}") from None
