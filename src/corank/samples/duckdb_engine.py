"""DuckDB in process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from corank.logs import LogTables
from corank.logs.engine import parquet
from corank.samples.engine import Logs, narrow_ids
from corank.samples.functions import DUCKDB

STREAM_ROWS = 1 << 14
"""Rows in a batch of a stream, of which a few are held at a time: of 45 columns, 6 MB each."""

THREAD_BYTES = 125 * 10**6
"""What DuckDB needs for each thread, by its own advice; with less its sorts and groups run out of memory."""

SESSION = "SET TimeZone = 'UTC'; SET enable_progress_bar = false"
"""What each connection needs: times as stored, and no bar of DuckDB's own between the reporter's lines."""


class DuckDBEngine:
    """A database in memory, or within a budget in a file, that spills into a folder when memory runs out."""

    name = "duckdb"

    def __init__(self, spill: Path, memory: int | None = None) -> None:
        spill.mkdir(parents=True, exist_ok=True)
        home = ":memory:" if memory is None else str(spill / "tables.duckdb")
        limit: dict[str, Any] = {}
        if memory is not None:
            threads = min(os.cpu_count() or 1, max(1, memory // THREAD_BYTES))
            limit = {"memory_limit": f"{memory >> 20}MiB", "threads": threads}
        # Every result that needs an order states it, so keeping insertion order would only cost memory.
        self._connection = ibis.duckdb.connect(
            home, temp_directory=str(spill), preserve_insertion_order=False, **limit
        )
        self._connection.con.execute(SESSION)
        for definition in DUCKDB:
            self._connection.con.execute(definition)
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._held: set[str] = set()

    def read(self, tables: LogTables) -> Logs:
        return Logs(**{name: self._table(tables, name) for name in tables.tables})

    def load(self, name: str, rows: pa.Table) -> ir.Table:
        return self._connection.create_table(name, rows, overwrite=True)

    def keep(self, name: str, table: ir.Table) -> ir.Table:
        self._held.add(name)
        return self._connection.create_table(name, table, overwrite=True)

    def append(self, name: str, table: ir.Table) -> ir.Table:
        if name not in self._held:
            return self.keep(name, table)
        self._connection.con.execute(f'INSERT INTO "{name}" BY NAME {ibis.to_sql(table, dialect="duckdb")}')
        return self._connection.table(name)

    def deal(self, name: str, table: ir.Table, part: str, parts: int) -> list[ir.Table]:
        self.keep(f"{name}_dealt", table)
        tables = [f"{name}_{index}" for index in range(parts)]
        run = self._connection.con.execute
        run("BEGIN")
        for index, own in enumerate(tables):
            rows = f'SELECT * EXCLUDE ("{part}") FROM "{name}_dealt" WHERE "{part}" = {index}'
            into = f'INSERT INTO "{own}"' if name in self._held else f'CREATE TABLE "{own}" AS'
            run(f"{into} {rows}")
        run("COMMIT")
        run(f'DROP TABLE "{name}_dealt"')
        self._held.add(name)
        return [self._connection.table(own) for own in tables]

    def release(self, tables: Iterable[ir.Table]) -> None:
        # What tells DuckDB where a table lies is not counted by its limit: a thousand tables are felt.
        for table in tables:
            self._connection.con.execute(f'DROP TABLE "{table.get_name()}"')

    def one(self, table: ir.Table) -> dict[str, Any]:
        rows = table.to_pyarrow().to_pylist()
        assert len(rows) == 1, f"expected one row, found {len(rows)}"
        return dict(rows[0])

    def arrow(self, table: ir.Table) -> pa.Table:
        return table.to_pyarrow()

    def stream(self, table: ir.Table) -> pa.RecordBatchReader:
        # Ibis 12 streams by a method that DuckDB 2 no longer has, and a connection holds one result only.
        cursor = self._connection.con.cursor()
        cursor.execute(SESSION)
        self._cursors.append(cursor)
        reader = cursor.sql(ibis.to_sql(table, dialect="duckdb")).to_arrow_reader(STREAM_ROWS)
        # DuckDB widens literals and their arithmetic; the expression's own types are what was meant.
        return reader.cast(table.schema().to_pyarrow())

    def versions(self) -> Mapping[str, str]:
        return {name: version(name) for name in ("duckdb", "ibis-framework", "pyarrow")}

    def close(self) -> None:
        for cursor in self._cursors:
            cursor.close()
        self._connection.disconnect()

    def _table(self, tables: LogTables, name: str) -> ir.Table:
        # Not Ibis's read_parquet, whose view only its own connection sees: streams have theirs.
        files = parquet(tables.files(name))
        self._connection.con.execute(f"CREATE VIEW log_{name} AS SELECT * FROM {files}")
        return narrow_ids(self._connection.table(f"log_{name}"))
