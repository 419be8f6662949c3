"""Rules about the columns that one log has beside the required ones."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from corank.logs.engine import name, quoted
from corank.logs.rule import ROW, Rule
from corank.logs.schemas import SCHEMAS
from corank.logs.tables import LogTables


def embedding_lengths(logs: LogTables) -> Iterator[Rule]:
    """Lists of floats of items and requests are embeddings, all of a column of one length."""
    for table, row in (("items", "item_id"), ("requests", "request_id")):
        for field in logs.schema(table):
            lists = pa.types.is_list(field.type) or pa.types.is_large_list(field.type)
            if not lists or not pa.types.is_floating(field.type.value_type):
                continue
            length = f"len({name(field.name)})"
            usual = f"SELECT {length} FROM {table} WHERE {length} IS NOT NULL GROUP BY 1"
            yield Rule(
                f"{table}-embedding-length",
                table,
                field.name,
                "error",
                "the embedding is not as long as most are",
                f"SELECT {ROW}, {row}, {length} AS length FROM {table}"
                f" WHERE {length} <> ({usual} ORDER BY count(*) DESC, 1 LIMIT 1)",
            )


def empty_columns(logs: LogTables) -> Iterator[Rule]:
    """A numeric column beyond the required ones holds at least one number."""
    for table, required in SCHEMAS.items():
        for field in logs.schema(table):
            kind = field.type
            numeric = any(
                test(kind) for test in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
            )
            if numeric and field.name not in required:
                column = name(field.name)
                yield Rule(
                    "log-empty-column",
                    table,
                    field.name,
                    "warning",
                    "the column holds no number in any row",
                    f'SELECT 0 AS {ROW}, {quoted(field.name)} AS "column" FROM'
                    f" (SELECT count(*) AS rows, count({column}) AS numbers FROM {table})"
                    " WHERE numbers = 0 AND rows > 0",
                    droppable=False,
                )
