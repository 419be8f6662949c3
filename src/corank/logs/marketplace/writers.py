"""The Parquet files of a marketplace, written chunk by chunk."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_ROW_GROUP = 1 << 18


class Writers:
    """One Parquet writer a table, opened with its first rows; counts what it writes.

    Attributes:
        rows: by table.
        requests: by domain.
        events: by `domain action`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[str, int] = {}
        self.requests: dict[str, int] = {}
        self.events: dict[str, int] = {}
        self._open: dict[str, pq.ParquetWriter] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Writers:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def write(self, tables: dict[str, pa.Table]) -> None:
        """Append rows to the tables named."""
        for name, table in tables.items():
            if name not in self._open:
                path = self.folder / f"{name}.parquet"
                path.parent.mkdir(exist_ok=True)
                # A dictionary of continuous values only costs time.
                discrete = [field.name for field in table.schema if not _continuous(field.type)]
                writer = pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=discrete)
                self._open[name] = self._stack.enter_context(writer)
            self._open[name].write_table(table, row_group_size=_ROW_GROUP)
            self._count(name, table)

    def _count(self, name: str, table: pa.Table) -> None:
        self.rows[name] = self.rows.get(name, 0) + len(table)
        if name == "requests":
            _add(self.requests, table["domain"])
        if name == "events":
            _add(self.events, pc.binary_join_element_wise(table["domain"], table["action"], " "))


def _continuous(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_timestamp(kind) or pa.types.is_nested(kind))


def _add(counts: dict[str, int], column: pa.ChunkedArray) -> None:
    for entry in pc.value_counts(column).to_pylist():
        counts[entry["values"]] = counts.get(entry["values"], 0) + entry["counts"]
