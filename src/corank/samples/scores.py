"""How relevant an item is to a query, and how alike two items are."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from corank.samples.functions import common, dot
from corank.samples.joins import attach


@dataclass(frozen=True)
class Sides:
    """What the two sides of a comparison are known by.

    Attributes:
        left, right: tables of one row a key.
        left_key, right_key: the columns that name it.
        column: `_words` (sets of words) or `_vector` (embeddings of whole numbers).
    """

    left: ir.Table
    right: ir.Table
    left_key: str
    right_key: str
    column: str


def with_score(pairs: ir.Table, sides: Sides, left: str, right: str, share: str) -> ir.Table:
    """Add `_score`, null where one side is unknown.

    Args:
        pairs: columns `left` and `right` hold keys of the two sides.
        sides: what they are compared by.
        left, right: columns of `pairs`.
        share: of words in common: `left` of the left side's, `both` of those of either side. Embeddings are
            compared by the cosine whatever it says.
    """
    column = sides.column
    one = sides.left.select(**{left: sides.left[sides.left_key], "_left": sides.left[column]})
    other = sides.right.select(**{right: sides.right[sides.right_key], "_right": sides.right[column]})
    joined = attach(attach(pairs, one, [left]), other, [right])
    score = _cosine if column == "_vector" else (_found if share == "left" else _jaccard)
    return joined.mutate(_score=score(joined["_left"], joined["_right"])).drop("_left", "_right")


def _cosine(one: ir.Column, other: ir.Column) -> ir.Column:
    return dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()


def _found(one: ir.Column, other: ir.Column) -> ir.Column:
    """Share of the words of one that the other has."""
    known = (one.length() > 0) & (other.length() > 0)
    return ibis.ifelse(known, _common(one, other) / one.length().cast("float64"), ibis.null("float64"))


def _jaccard(one: ir.Column, other: ir.Column) -> ir.Column:
    common = _common(one, other)
    either = one.length().cast("float64") + other.length().cast("float64") - common
    known = (one.length() > 0) & (other.length() > 0)
    return ibis.ifelse(known, common / either, ibis.null("float64"))


def _common(one: ir.Column, other: ir.Column) -> ir.Column:
    return common(one, other).cast("float64")
