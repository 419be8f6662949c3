"""Functions that each engine has under a name of its own, and that every engine is given under one."""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

NUMBERS, WORDS = dt.Array(dt.float64), dt.Array(dt.string)


def _dot(one: ir.Value, other: ir.Value) -> ir.Value:
    """The dot product of two lists of one length; null if either is."""


def _common(one: ir.Value, other: ir.Value) -> ir.Value:
    """How many words two sets have in common; null if either is."""


dot = ibis.udf.scalar.builtin(_dot, name="corank_dot", signature=((NUMBERS, NUMBERS), dt.float64))
common = ibis.udf.scalar.builtin(_common, name="corank_common", signature=((WORDS, WORDS), dt.int64))

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
