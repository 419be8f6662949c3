"""Read access to a samples folder: its columns by source, its tables, its row groups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corank.errors import CorankError
from corank.features.spec import Source
from corank.samples.manifest import LABELS, QUERY_SOURCE, Manifest, read_manifest

SPLITS = ("train", "valid", "test")
# Columns that are never inputs: keys, labels, what only an exposure tells, what betrays a pseudo request.
KEYS = frozenset({"request_id", "timestamp", "history_offset", "history_length", QUERY_SOURCE})
OUTCOMES = frozenset({"exposed", "position", *LABELS})


@dataclass(frozen=True)
class RowGroup:
    """One row group of a split's files."""

    path: Path
    index: int

    def read(self, columns: list[str]) -> pa.Table:
        """The named columns of this row group's requests.

        Raises:
            CorankError: the file is damaged.
        """
        try:
            return pq.ParquetFile(self.path).read_row_group(self.index, columns=columns)
        except (OSError, pa.ArrowInvalid) as error:
            raise _damaged(self.path, error) from None


class Store:
    """A samples folder as `corank samples` writes it.

    Raises:
        CorankError: the folder is not one, or a file in it is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)

    @cached_property
    def items(self) -> pa.Table:
        """The item table: `item_id` and attributes."""
        return _read_table(self.folder / "items.parquet")

    def histories(self, columns: list[str]) -> pa.Table:
        """Columns of the users' events, sorted by user and time."""
        return _read_table(self.folder / "histories.parquet", columns)

    def row_groups(self, split: str) -> list[RowGroup]:
        """The row groups of a split, in order; rows are shuffled, so the first are a random sample."""
        files = sorted((self.folder / split).glob("*.parquet"))
        if not files:
            raise CorankError(f"{self.folder / split}: no Parquet files; expected the split '{split}'")
        return [RowGroup(path, i) for path in files for i in range(_open(path).num_row_groups)]

    @property
    def train_end(self) -> datetime:
        """When the training split ends (UTC): where the next one begins."""
        return self.manifest.valid_from

    @cached_property
    def columns(self) -> dict[Source, dict[str, pa.DataType]]:
        """The columns that may be inputs, by source, with their types (element types for `list`)."""
        split = _open(self.row_groups("train")[0].path).schema_arrow
        lists = {name for name, column in self.manifest.columns.items() if column.kind == "list"}
        in_list = {name: split.field(name).type.value_type for name in split.names if name in lists}
        items = {field.name: field.type for field in self.items.schema}
        history = {field.name: field.type for field in _open(self.folder / "histories.parquet").schema_arrow}
        events = {name: kind for name, kind in history.items() if name not in ("user_id", "timestamp")}
        return {
            "request": {n: split.field(n).type for n in split.names if n not in lists and n not in KEYS},
            "list": {n: t for n, t in in_list.items() if n not in OUTCOMES and n != "item_id"},
            "item": items,
            "history": events | {name: kind for name, kind in items.items() if name not in events},
        }


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError:
        raise CorankError(f"{path}: no such file; expected a folder made by `corank samples`") from None
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path, error) from None


def _read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        return _open(path).read(columns=columns)
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> CorankError:
    """The error for a file whose footer or pages cannot be read, with the first line of the reason."""
    reason = str(error).strip().partition("\n")[0]
    return CorankError(
        f"{path}: cannot be read as Parquet ({reason}); expected a file made by corank samples"
    )
