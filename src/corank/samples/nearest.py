"""How near queries are to items, for the nearest query of an item."""

from __future__ import annotations

import ibis.expr.types as ir

from corank.samples.scores import Sides, with_score


def nearest_by_words(items: ir.Table, known: ir.Table, sides: Sides) -> ir.Table:
    """`item_id`, `query`, `timestamp` and `_score`: words in common, of those of either.

    Only pairs with a word in common are met.

    Args:
        items: `item_id`, distinct.
        known: `query`, distinct, and the `timestamp` from which it is known.
        sides: the words of queries (left) and items (right).
    """
    texts = sides.right.semi_join(items, "item_id").select("item_id", "_words")
    asked = _each_word(sides.left, "query", "_asked").inner_join(known, "query")
    met = asked.select("query", "timestamp", "_asked", "_word").inner_join(
        _each_word(texts, "item_id", "_told"), "_word"
    )
    pairs = met.group_by("item_id", "query", "timestamp", "_asked", "_told").aggregate(_common=met.count())
    either = pairs["_asked"] + pairs["_told"] - pairs["_common"]
    score = pairs["_common"].cast("float64") / either.cast("float64")
    return pairs.select("item_id", "query", "timestamp", _score=score)


def nearest_by_vectors(items: ir.Table, known: ir.Table, sides: Sides) -> ir.Table:
    """The same by the cosine of embeddings, where it is above 0; every pair is met.

    Args:
        items: `item_id`, distinct.
        known: `query`, `timestamp` and `_request`, the request whose embedding is the query's.
        sides: the embeddings of requests (left) and items (right).
    """
    pairs = items.cross_join(known)
    scored = with_score(pairs, sides, "_request", "item_id", "both")
    return scored.filter((scored["_score"] > 0).fill_null(False)).select(
        "item_id", "query", "timestamp", "_score"
    )


def _each_word(words: ir.Table, key: str, size: str) -> ir.Table:
    """A row for each word: the key, how many words it has, and `_word`."""
    return words.select(key, _word=words["_words"].unnest(), **{size: words["_words"].length()})
