"""What adapters share to read files of attributes, of users or items, and to join them to those seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from corank.logs.adapters.adapter import Counted
from corank.logs.adapters.loading import load
from corank.logs.adapters.reading import columns_of
from corank.logs.adapters.reasons import Reasons, count
from corank.logs.engine import name

REASONS: Reasons = {
    "attributes_without_id": ("id IS NULL", "row of attributes whose id is not a whole number")
}


@dataclass(frozen=True)
class Attribute:
    """A column of ours, made of the first of the `published` columns that the file has; `x` is its text."""

    published: tuple[str, ...]
    value: str


@dataclass(frozen=True)
class Attributes:
    """A file of attributes by id, to be the table `table`; `seen` is the table of the ids (`id`) in use."""

    table: str
    file: Path
    key: str
    columns: Mapping[str, Attribute]
    seen: str


def load_attributes(connection: duckdb.DuckDBPyConnection, wanted: Attributes) -> dict[str, int]:
    """Make the table: `id` and those columns that the file has, a row an id in use; rows read by file.

    Raises:
        CorankError: the file cannot be read or lacks the key.
    """
    found = columns_of(wanted.file)
    sources = {ours: next((c for c in a.published if c in found), None) for ours, a in wanted.columns.items()}
    columns = {ours: published for ours, published in sources.items() if published}
    parsed = ", ".join(
        [f"whole({name(wanted.key)}) AS id"]
        + [
            f"{wanted.columns[ours].value.format(x=name(published))} AS {name(ours)}"
            for ours, published in columns.items()
        ]
    )
    read = [wanted.key, *dict.fromkeys(columns.values())]
    rows = load(connection, f"{wanted.table}_rows", [wanted.file], read, parsed, REASONS)
    connection.execute(f"""
        CREATE TABLE {wanted.table} AS SELECT * EXCLUDE (reason)
        FROM {wanted.table}_rows r SEMI JOIN {wanted.seen} USING (id)
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY r.rowid) = 1""")
    return rows


def count_unused(connection: duckdb.DuckDBPyConnection, tables: Sequence[Attributes]) -> dict[str, Counted]:
    """How many rows of the tables that `load_attributes` made are not used, by reason."""
    nameless = repeated = unseen = 0
    for table in (wanted.table for wanted in tables):
        rows = count(connection, f"SELECT count(*) FROM {table}_rows")
        known = count(connection, f"SELECT count(id) FROM {table}_rows")
        ids = count(connection, f"SELECT count(DISTINCT id) FROM {table}_rows")
        nameless += rows - known
        repeated += known - ids
        unseen += ids - count(connection, f"SELECT count(*) FROM {table}")
    return {
        "attributes_without_id": Counted(nameless, REASONS["attributes_without_id"][1]),
        "attributes_repeated": Counted(repeated, "row of attributes whose id an earlier row of the file has"),
        "attributes_unseen": Counted(unseen, "row of attributes of a user or an item without any impression"),
    }


def joined(
    connection: duckdb.DuckDBPyConnection,
    seen: str,
    key: str,
    tables: Sequence[str],
    required: Sequence[str] = (),
) -> str:
    """The query for the ids in use (the table `seen`) as `key`, with the columns that the tables have.

    Columns that are `required` come first: null text where no table has them.
    """
    found = {
        column: table
        for table in tables
        for (column, *_) in connection.execute(f"DESCRIBE {table}").fetchall()
        if column != "id"
    }
    columns = dict.fromkeys(required, "CAST(NULL AS VARCHAR)")
    columns |= {column: f"{table}.{name(column)}" for column, table in found.items()}
    selected = ", ".join([f"id AS {key}", *(f"{of} AS {name(column)}" for column, of in columns.items())])
    joins = " ".join(f"LEFT JOIN {table} USING (id)" for table in tables)
    return f"SELECT {selected} FROM {seen} {joins} ORDER BY {key}"
