"""What runs the steps: reads log tables, runs Ibis expressions, streams Arrow. One engine of several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import ibis.expr.types as ir
import pyarrow as pa

from corank.errors import CorankError, unknown
from corank.logs import LogTables
from corank.samples.spark_session import check_spark

ENGINES = ("duckdb", "spark")
"""The names of the engines."""

ALL_CORES = "local[*]"
"""Spark's master where none is named: this machine."""

IDS = ("request_id", "user_id", "item_id")


@dataclass(frozen=True)
class Logs:
    """The five log tables as Ibis tables."""

    requests: ir.Table
    candidates: ir.Table
    events: ir.Table
    items: ir.Table
    users: ir.Table


class Engine(Protocol):
    """What the steps ask of an engine.

    Attributes:
        name: what ran the steps, for the manifest.
    """

    name: str

    def read(self, tables: LogTables) -> Logs:
        """The log's tables; rows are read when an expression runs. Integer ids are widened to int64."""

    def load(self, name: str, rows: pa.Table) -> ir.Table:
        """Hold rows that were made outside the engine as a table."""

    def keep(self, name: str, table: ir.Table) -> ir.Table:
        """Run an expression now and hold its rows as a table, since later steps reuse them.

        A table of the same name is replaced.
        """

    def append(self, name: str, table: ir.Table) -> ir.Table:
        """Run an expression now and add its rows to those held under the name, if any."""

    def deal(self, name: str, table: ir.Table, part: str, parts: int) -> list[ir.Table]:
        """Run an expression now and add its rows to so many tables, by the number in the column `part`.

        The tables, which do not have that column, are the same ones whenever the name is.
        """

    def release(self, tables: Iterable[ir.Table]) -> None:
        """Let go of tables that were kept or dealt, and that no later step reads."""

    def one(self, table: ir.Table) -> dict[str, Any]:
        """The single row of a small result."""

    def arrow(self, table: ir.Table) -> pa.Table:
        """A whole result in memory."""

    def stream(self, table: ir.Table) -> pa.RecordBatchReader:
        """An ordered result as batches, made while they are consumed; several may be read in turns."""

    def versions(self) -> Mapping[str, str]:
        """Versions of what computed the result."""

    def close(self) -> None:
        """Free what the engine holds."""


def check_engine(name: str, master: str | None, memory: int | None) -> None:
    """Stop if there is no such engine, or an option belongs to another one.

    Raises:
        CorankError: so it is.
    """
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)
    if name != "spark" and master is not None:
        raise CorankError(f"master = '{master}': only the engine spark has one; give --engine spark")
    if name != "duckdb" and memory is not None:
        raise CorankError(
            "memory: Spark's is set where it is started (spark.driver.memory, spark.executor.memory);"
            " a budget is for the engine duckdb"
        )


@contextmanager
def running(name: str, spill: Path, master: str | None = None, memory: int | None = None) -> Iterator[Engine]:
    """An engine that is closed at the end, whatever happens.

    Args:
        name: one of `ENGINES`.
        spill: a folder for what does not fit into memory.
        master: Spark's master or Connect URL (`sc://HOST:PORT`); `local[*]` if None.
        memory: bytes that DuckDB may hold; its own limit if None.

    Raises:
        CorankError: the engine is unknown, not installed or not to be reached.
    """
    check_engine(name, master, memory)
    engine: Engine
    if name == "spark":
        check_spark(master or ALL_CORES)
        from corank.samples.spark_engine import SparkEngine  # which imports pyspark

        engine = SparkEngine(spill, master or ALL_CORES)
    else:
        from corank.samples.duckdb_engine import DuckDBEngine

        engine = DuckDBEngine(spill, memory)
    try:
        yield engine
    finally:
        engine.close()


def narrow_ids(table: ir.Table) -> ir.Table:
    """Integer ids as int64."""
    ids = [column for column in IDS if column in table.columns and table[column].type().is_integer()]
    wanted = {column: "int64" for column in ids if not table[column].type().is_int64()}
    return table.cast(wanted) if wanted else table
