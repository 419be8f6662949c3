"""The steps compiled once for a kind of ids and a recipe, then run on one log after another.

Building and compiling Ibis expressions takes seconds, running them on a small log milliseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
from tests.samples.generated import explicit_cuts, random_log, tables, write
from tests.samples.oracle import Log

from corank.logs import open_logs
from corank.progress import QUIET
from corank.samples.all_rows import all_rows
from corank.samples.config import check_recipe, resolve
from corank.samples.duckdb_engine import DuckDBEngine
from corank.samples.engine import Logs
from corank.samples.plan import make_plan
from corank.samples.whole import whole
from corank.samples.words import item_words, query_words, vectors


class Recorder(DuckDBEngine):
    """Remembers the query of every table that the steps keep; the log lies in tables that can be refilled."""

    def __init__(self, spill: Path, log: dict[str, pa.Table]) -> None:
        super().__init__(spill)
        self.log = log
        self.queries: dict[str, str] = {}

    def read(self, tables: Any) -> Logs:
        return Logs(
            **{name: self._connection.create_table(f"log_{name}", self.log[name]) for name in tables.tables}
        )

    def keep(self, name: str, table: ir.Table) -> ir.Table:
        assert name not in self.queries, f"two steps keep a table called {name}"
        self.queries[name] = str(self._connection.compile(table))
        return super().keep(name, table)

    def replay(self, log: dict[str, pa.Table]) -> None:
        """Run every step on another log."""
        connection = self._connection.con
        for name, table in self._loaded(log).items():
            connection.execute(f"DELETE FROM {name}").fetchall()
            connection.register("incoming", table)
            connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming").fetchall()
            connection.unregister("incoming")
        for name, query in self.queries.items():
            connection.execute(f"DELETE FROM {name}").fetchall()
            connection.execute(f"INSERT INTO {name} {query}").fetchall()

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query, with times as whole microseconds."""
        return plain(self._connection.con.sql(query).to_arrow_table())

    def _loaded(self, log: dict[str, pa.Table]) -> dict[str, pa.Table]:
        made = {f"log_{name}": table for name, table in log.items()}
        items, queries = log["items"], log["requests"]["query"].drop_null().unique()
        made["item_words"] = item_words(items, ["title", "category"])
        made["query_words"] = query_words(queries)
        vector = vectors(items["embedding"])
        made["item_vectors"] = pa.table({"item_id": items["item_id"], "_vector": vector}).filter(
            vector.is_valid()
        )
        there = self._names()
        return {name: table for name, table in made.items() if name in there}

    def _names(self) -> set[str]:
        found = self._connection.con.sql("SELECT table_name FROM duckdb_tables()").fetchall()
        return {name for (name,) in found}


class Steps:
    """All steps of a recipe, with fixed cuts, seed and configuration."""

    def __init__(self, folder: Path, ids: str, recipe: str, settings: list[str], seed: int) -> None:
        self.ids = ids
        first = random_log(0, ids)
        self._engine = Recorder(folder / "spill", tables(first, ids))
        config = resolve([*explicit_cuts(), *settings, "duplicate_events=keep"])
        log = open_logs(write(first, ids, folder / "logs"))
        with QUIET.task("", 0) as task:
            plan = make_plan(self._engine, log, check_recipe(recipe), config, seed, task)
            made = whole(plan, all_rows(plan, task))
        self._results = {
            "requests": made.requests[0],
            "samples": made.samples[0],
            "lengths": made.lengths[0],
            **made.flat,
        }
        self._queries = {
            name: str(self._engine._connection.compile(table)) for name, table in self._results.items()
        }

    def run(self, log: Log) -> dict[str, list[dict[str, Any]]]:
        """The rows of every table of the store, in order, for one log."""
        self._engine.replay(tables(log, self.ids))
        return {name: self._engine.rows(query) for name, query in self._queries.items()}

    def close(self) -> None:
        self._engine.close()


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """Rows with times as whole microseconds."""
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(index, field.name, table[field.name].cast(pa.int64()))
    return [dict(row) for row in table.to_pylist()]
