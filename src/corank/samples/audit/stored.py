"""The door through which the audit opens samples: manifest and footers, no rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError
from corank.samples.labels import LEDGER
from corank.samples.manifest import SPLITS, Manifest, read_manifest


@dataclass(frozen=True)
class Stored:
    """A samples folder whose files have their columns.

    Attributes:
        folder, manifest: the folder and what its manifest says.
        splits: the files of each split.
        rows: the schema of the splits.
        items: the schema of items.parquet.
    """

    folder: Path
    manifest: Manifest
    splits: dict[str, tuple[Path, ...]]
    rows: pa.Schema
    items: pa.Schema

    @property
    def kinds(self) -> dict[str, pa.DataType]:
        """The types of the columns of the splits, of lists those of their elements."""
        return {
            name: self.rows.field(name).type.value_type
            if column.kind == "list"
            else self.rows.field(name).type
            for name, column in self.manifest.columns.items()
        }


def open_samples(folder: Path) -> Stored:
    """Read the manifest and the footers.

    Raises:
        CorankError: the folder is not one of samples, or a file is missing, damaged or lacks a column.
    """
    manifest = read_manifest(folder)
    splits = {split: tuple(sorted((folder / split).glob("*.parquet"))) for split in SPLITS}
    for split, files in splits.items():
        if not files:
            raise CorankError(f"{folder / split}: no Parquet files; expected the split '{split}'")
    lists = {name for name, column in manifest.columns.items() if column.kind == "list"}
    schemas = [_schema(file, manifest.columns) for files in splits.values() for file in files]
    for file, schema in zip((file for files in splits.values() for file in files), schemas, strict=True):
        for name in lists:
            if not pa.types.is_list(schema.field(name).type):
                raise CorankError(f"{file}: column '{name}' is {schema.field(name).type}, expected a list")
    _schema(folder / "labels.parquet", (*LEDGER, "fate", "labelled_request_id"))
    return Stored(folder, manifest, splits, schemas[0], _schema(folder / "items.parquet", ["item_id"]))


def _schema(file: Path, needed: Iterable[str]) -> pa.Schema:
    try:
        schema = pq.read_schema(file)
    except FileNotFoundError:
        raise CorankError(f"{file}: no such file; expected a folder made by corank samples") from None
    except (OSError, pa.ArrowException) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CorankError(
            f"{file}: cannot be read as Parquet ({reason}); expected a file made by corank samples"
        ) from None
    for column in needed:
        if column not in schema.names:
            raise CorankError(f"{file}: lacks the column '{column}', which samples have")
    return schema
