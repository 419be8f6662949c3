"""Functions that each engine has under a name of its own, and that every engine is given under one."""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt

NUMBERS, WORDS = dt.Array(dt.float64), dt.Array(dt.string)


@ibis.udf.scalar.builtin(name="corank_dot", signature=((NUMBERS, NUMBERS), dt.float64))
def dot(one, other):  # type: ignore[no-untyped-def]  # Ibis reads the types from the signature
    """The dot product of two lists of one length; null if either is."""


@ibis.udf.scalar.builtin(name="corank_common", signature=((WORDS, WORDS), dt.int64))
def common(one, other):  # type: ignore[no-untyped-def]  # Ibis reads the types from the signature
    """How many words two sets have in common; null if either is."""


DUCKDB = (
    "CREATE OR REPLACE MACRO corank_dot(one, other) AS list_dot_product(one, other)",
    "CREATE OR REPLACE MACRO corank_common(one, other) AS len(list_intersect(one, other))",
)
"""The definitions in DuckDB."""

SPARK = (
    "CREATE OR REPLACE TEMPORARY FUNCTION corank_dot(one ARRAY<DOUBLE>, other ARRAY<DOUBLE>) RETURNS DOUBLE"
    " RETURN aggregate(zip_with(one, other, (x, y) -> x * y), 0D, (total, x) -> total + x)",
    "CREATE OR REPLACE TEMPORARY FUNCTION corank_common(one ARRAY<STRING>, other ARRAY<STRING>)"
    " RETURNS BIGINT RETURN CAST(CASE WHEN one IS NULL OR other IS NULL THEN NULL"
    " ELSE size(array_intersect(one, other)) END AS BIGINT)",
)
"""The definitions in Spark."""
