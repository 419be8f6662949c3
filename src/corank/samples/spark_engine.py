"""Spark: in this process, on a cluster, or through Spark Connect.

The driver and the executors must see the log's folder and the output's under the same paths: tables are read
from the one, and ordered results are handed over as Parquet files in the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.pyspark.datatypes import PySparkSchema

from corank.logs import LogTables
from corank.samples.engine import Logs, narrow_ids
from corank.samples.functions import SPARK
from corank.samples.spark_session import connect

BATCH_ROWS = 1 << 17
"""Rows in a batch of a stream."""


class SparkEngine:
    """A Spark session; results that steps reuse are held by its executors."""

    name = "spark"

    def __init__(self, spill: Path, master: str) -> None:
        spill.mkdir(parents=True, exist_ok=True)
        self._spill = spill.resolve()
        self._session, self._own = connect(master, self._spill)
        for definition in SPARK:
            self._session.sql(definition)
        self._connection = ibis.pyspark.connect(self._session)
        self._streams = 0
        self._held: set[str] = set()

    def read(self, tables: LogTables) -> Logs:
        return Logs(**{name: self._table(tables, name) for name in tables.tables})

    def load(self, name: str, rows: pa.Table) -> ir.Table:
        return self._hold(name, self._session.createDataFrame(rows))

    def keep(self, name: str, table: ir.Table) -> ir.Table:
        self._held.add(name)
        return self._hold(name, self._typed(table))

    def append(self, name: str, table: ir.Table) -> ir.Table:
        rows = self._typed(table)
        if name in self._held:
            rows = self._session.table(name).unionByName(rows)
        self._held.add(name)
        return self._hold(name, rows)

    def deal(self, name: str, table: ir.Table, part: str, parts: int) -> list[ir.Table]:
        return [
            self.append(f"{name}_{index}", table.filter(table[part] == index).drop(part))
            for index in range(parts)
        ]

    def release(self, tables: Iterable[ir.Table]) -> None:
        """Nothing: Spark's executors let go of what no plan reads."""

    def one(self, table: ir.Table) -> dict[str, Any]:
        rows = self.arrow(table).to_pylist()
        assert len(rows) == 1, f"expected one row, found {len(rows)}"
        return dict(rows[0])

    def arrow(self, table: ir.Table) -> pa.Table:
        return self._run(table).toArrow().cast(table.schema().to_pyarrow())

    def stream(self, table: ir.Table) -> pa.RecordBatchReader:
        # Partitions of a sorted result follow one another, and so do the files that they are written to.
        self._streams += 1
        folder = self._spill / f"stream-{self._streams}"
        self._typed(table).write.parquet(str(folder))
        schema = table.schema().to_pyarrow()
        return pa.RecordBatchReader.from_batches(schema, _batches(folder, schema))

    def versions(self) -> Mapping[str, str]:
        return {name: version(name) for name in ("pyspark", "ibis-framework", "pyarrow")}

    def close(self) -> None:
        if self._own:
            self._session.stop()

    def _run(self, table: ir.Table) -> Any:
        return self._session.sql(ibis.to_sql(table, dialect="pyspark"))

    def _typed(self, table: ir.Table) -> Any:
        """The rows in the types that the expression has: Spark numbers rows in 32 bits, for one."""
        rows = self._run(table)
        wanted = PySparkSchema.from_ibis(table.schema())
        return rows.select(*(rows[field.name].cast(field.dataType).alias(field.name) for field in wanted))

    def _hold(self, name: str, rows: Any) -> ir.Table:
        # A checkpoint and not a cache: plans built upon it start from its rows and stay short.
        return self._view(name, rows.localCheckpoint(eager=True))

    def _table(self, tables: LogTables, name: str) -> ir.Table:
        files = [str(file.resolve()) for file in tables.files(name)]
        return narrow_ids(self._view(f"log_{name}", self._session.read.parquet(*files)))

    def _view(self, name: str, rows: Any) -> ir.Table:
        """A view, and its instants as what they are: Ibis takes Spark's for times without a zone."""
        rows.createOrReplaceTempView(name)
        instants = [field.name for field in rows.schema if field.dataType.typeName() == "timestamp"]
        return self._connection.table(name).cast(dict.fromkeys(instants, dt.Timestamp("UTC", 6)))


def _batches(folder: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for file in sorted(folder.glob("part-*.parquet")):
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(BATCH_ROWS):
                yield batch.select(schema.names).cast(schema)
