"""An import written down as SQL (files, tables parsed of them, tables made of those, counts), and its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from corank.logs.adapters.macros import MACROS
from corank.logs.adapters.parsing import Counted, Parsed, count_parsed, parse
from corank.logs.adapters.reading import Files, count_rejected
from corank.logs.engine import engine, write_parquet
from corank.progress import Reporter


@dataclass(frozen=True)
class Plan:
    """What is made of a data set's files; queries are run in the order in which they stand.

    Attributes:
        sources: the files.
        parsed: tables of their rows, each file read once.
        steps: tables made of those, by their queries.
        tables: the log tables, by their queries.
        read: what is told of the rows read, by the queries that count it; what gives no row is not told.
        unusable: what else was not used, or not as it stood: the queries that count it, and its meaning.
        by_file: whether the rows read are told by file as well.
    """

    sources: Mapping[str, Files]
    parsed: Mapping[str, Parsed]
    steps: Mapping[str, str]
    tables: Mapping[str, str]
    unusable: Mapping[str, tuple[str, str]]
    read: Mapping[str, str] = field(default_factory=dict)
    by_file: bool = True


@dataclass(frozen=True)
class Written:
    """What came of a plan.

    `read` counts the source's rows by what they are; `unusable` counts what could not be used, by reason.
    """

    read: Mapping[str, int]
    unusable: Mapping[str, Counted]


def write(name: str, plan: Plan, src: Path, out: Path, progress: Reporter) -> Written:
    """Write the log tables of the data set `name`, whose plan's files are at `src`, into the folder `out`.

    Raises:
        CorankError: a file cannot be read or lacks a column.
    """
    total = len(plan.parsed) + len(plan.steps) + len(plan.tables)
    with engine(src, scratch_in=out) as connection, progress.task(f"import {name}", total=total) as task:
        connection.execute(MACROS)
        for table, parsed in plan.parsed.items():
            parse(connection, table, parsed, plan.sources[parsed.source].query())
            task.advance(note=f"{parsed.source} read")
        for step, query in plan.steps.items():
            connection.execute(f"CREATE TABLE {step} AS {query}")
            task.advance(note=step)
        for table, query in plan.tables.items():
            write_parquet(connection, query, out / f"{table}.parquet")
            task.advance(note=table)
        return Written(_read(connection, plan), _unusable(connection, plan))


def _read(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, int]:
    counts = dict[str, int]()
    for table, parsed in plan.parsed.items() if plan.by_file else ():
        rows = dict(connection.execute(f"SELECT file, count(*) FROM {table} GROUP BY 1").fetchall())
        counts |= {path.name: rows.get(path.name, 0) for path in plan.sources[parsed.source].paths}
    for what, query in plan.read.items():
        if found := connection.execute(query).fetchone():
            counts[what] = int(found[0] or 0)
    return counts


def _unusable(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, Counted]:
    """By reason; one that stands in several places counts the rows of all."""
    counts = dict[str, Counted]()

    def add(reason: str, number: int, meaning: str) -> None:
        before = counts[reason].count if reason in counts else 0
        counts[reason] = Counted(before + number, meaning)

    for table, parsed in plan.parsed.items():
        for reason, found in count_parsed(connection, table, parsed).items():
            add(reason, found.count, found.meaning)
    for reason, (query, meaning) in plan.unusable.items():
        (number,) = connection.execute(query).fetchone() or (0,)
        add(reason, int(number or 0), meaning)
    for files in plan.sources.values():
        reason, meaning = files.malformed
        add(reason, sum(count_rejected(connection, path) for path in files.paths), meaning)
    return counts
