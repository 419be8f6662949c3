"""An import that is written down as SQL: files parsed to tables, tables made of those, log tables, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from corank.logs.adapters import reading
from corank.logs.adapters.adapter import Counted, Written
from corank.logs.adapters.parsing import Parsed, count_parsed, parse
from corank.logs.adapters.reasons import count
from corank.logs.engine import engine, write_parquet
from corank.progress import Reporter


@dataclass(frozen=True)
class Staged:
    """A data set's import; queries are run in the order in which they stand.

    Attributes:
        name: the data set's, for the progress bar.
        files: the files it reads.
        macros: SQL run first.
        parsed: tables of files' rows, each file read once.
        steps: tables made of those, by their queries.
        tables: the log tables, by their queries.
        read: what is told of the rows read beside their number by file, by the queries that count it.
        unusable: what else was not used, or not as it stood: the queries that count it, and its meaning.
    """

    name: str
    files: reading.FileSet
    macros: str
    parsed: Mapping[str, Parsed]
    steps: Mapping[str, str]
    tables: Mapping[str, str]
    read: Mapping[str, str]
    unusable: Mapping[str, tuple[str, str]]

    def write(self, src: Path, out: Path, progress: Reporter) -> Written:
        """Write the log tables of the files in the folder `src` into the folder `out`.

        Raises:
            CorankError: `src` does not hold the data set, or a file of it cannot be read.
        """
        found = self.files.find(src)
        total = len(self.parsed) + len(self.steps) + len(self.tables)
        with (
            engine(src, scratch_in=out) as connection,
            progress.task(f"import {self.name}", total=total) as task,
        ):
            connection.execute(self.macros)
            for table, parsed in self.parsed.items():
                parse(connection, table, parsed, self.files.query(found, parsed.file))
                task.advance(note=f"{parsed.file} read")
            for step, query in self.steps.items():
                connection.execute(f"CREATE TABLE {step} AS {query}")
                task.advance(note=step)
            for table, query in self.tables.items():
                write_parquet(connection, query, out / f"{table}.parquet")
                task.advance(note=table)
            return Written(self._count_read(connection), self._count_unusable(connection, found))

    def _count_read(self, connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
        by_file = {
            parsed.file: count(connection, f"SELECT count(*) FROM {table}")
            for table, parsed in self.parsed.items()
        }
        return by_file | {what: count(connection, query) for what, query in self.read.items()}

    def _count_unusable(
        self, connection: duckdb.DuckDBPyConnection, found: Mapping[str, Path]
    ) -> dict[str, Counted]:
        counts: dict[str, Counted] = {}
        for table, parsed in self.parsed.items():
            counts |= count_parsed(connection, table, parsed)
        for reason, (query, meaning) in self.unusable.items():
            counts[reason] = Counted(count(connection, query), meaning)
        lines = sum(reading.count_rejected(connection, file) for file in found.values())
        return counts | {"malformed_line": Counted(lines, "line of a file that does not parse")}
