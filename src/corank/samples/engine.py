"""The one place that holds a connection: reads log tables, runs Ibis expressions, streams Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from corank.logs import LogTables
from corank.samples.functions import DUCKDB

STREAM_ROWS = 1 << 17
"""Rows in a batch of a stream."""


SESSION = "SET TimeZone = 'UTC'; SET enable_progress_bar = false"
"""What each connection needs: times as stored, and no bar of DuckDB's own between the reporter's lines."""


@dataclass(frozen=True)
class Logs:
    """The five log tables as Ibis tables."""

    requests: ir.Table
    candidates: ir.Table
    events: ir.Table
    items: ir.Table
    users: ir.Table


class Engine:
    """An in-process DuckDB database that spills into a folder when memory runs out.

    Attributes:
        name: what ran the steps, for the manifest.
    """

    name = "duckdb"

    def __init__(self, spill: Path) -> None:
        # Every result that needs an order states it, so keeping insertion order would only cost memory.
        self._connection = ibis.duckdb.connect(temp_directory=str(spill), preserve_insertion_order=False)
        self._connection.con.execute(SESSION)
        for definition in DUCKDB:
            self._connection.con.execute(definition)
        self._cursors: list[duckdb.DuckDBPyConnection] = []

    def read(self, tables: LogTables) -> Logs:
        """The log's tables; rows are read when an expression runs. Integer ids are widened to int64."""
        return Logs(**{name: self._table(tables, name) for name in tables.tables})

    def load(self, name: str, rows: pa.Table) -> ir.Table:
        """Hold rows that were made outside the engine as a table."""
        return self._connection.create_table(name, rows, overwrite=True)

    def keep(self, name: str, table: ir.Table) -> ir.Table:
        """Run an expression now and hold its rows as a table, since later steps reuse them."""
        return self._connection.create_table(name, table, overwrite=True)

    def one(self, table: ir.Table) -> dict[str, Any]:
        """The single row of a small result."""
        rows = table.to_pyarrow().to_pylist()
        assert len(rows) == 1, f"expected one row, found {len(rows)}"
        return dict(rows[0])

    def arrow(self, table: ir.Table) -> pa.Table:
        """A whole result in memory."""
        return table.to_pyarrow()

    def stream(self, table: ir.Table) -> pa.RecordBatchReader:
        """A result as batches, made while they are consumed; several may be read in turns."""
        # Ibis 12 streams by a method that DuckDB 2 no longer has, and a connection holds one result only.
        cursor = self._connection.con.cursor()
        cursor.execute(SESSION)
        self._cursors.append(cursor)
        reader = cursor.sql(ibis.to_sql(table, dialect="duckdb")).to_arrow_reader(STREAM_ROWS)
        # DuckDB widens literals and their arithmetic; the expression's own types are what was meant.
        return reader.cast(table.schema().to_pyarrow())

    def versions(self) -> Mapping[str, str]:
        """Versions of what computed the result."""
        return {name: version(name) for name in ("duckdb", "ibis-framework", "pyarrow")}

    def close(self) -> None:
        """Free the database."""
        for cursor in self._cursors:
            cursor.close()
        self._connection.disconnect()

    def _table(self, tables: LogTables, name: str) -> ir.Table:
        # Not Ibis's read_parquet, whose view only its own connection sees: streams have theirs.
        files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in tables.files(name))
        self._connection.con.execute(f"CREATE VIEW log_{name} AS SELECT * FROM read_parquet([{files}])")
        table = self._connection.table(f"log_{name}")
        ids = [column for column in ("request_id", "user_id", "item_id") if column in table.columns]
        narrow = {column: "int64" for column in ids if table[column].type().is_integer()}
        return table.cast({column: kind for column, kind in narrow.items() if table[column].type() != kind})


@contextmanager
def running(spill: Path) -> Iterator[Engine]:
    """An engine that is closed at the end, whatever happens."""
    engine = Engine(spill)
    try:
        yield engine
    finally:
        engine.close()
