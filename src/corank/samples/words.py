"""What texts and items are compared by: sets of words, and embeddings rounded to whole numbers.

Both are made once, outside the engines, so that every engine compares the same values: lower case differs
between engines in rare letters, and sums of floating-point numbers with their order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

GRID = 127
"""The largest whole number of an embedding: dot products of any length are exact in float64."""


def word_sets(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The distinct words of each text, in lower case, cut at everything that is not a letter or digit.

    >>> word_sets(pa.array(["Red RED-shoe", None])).to_pylist()
    [['red', 'shoe'], []]
    """
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    plain = pc.fill_null(texts.cast(pa.string()), "")
    pieces = pc.split_pattern_regex(pc.utf8_lower(plain), r"[^\p{L}\p{N}]+")
    rows = pc.list_parent_indices(pieces).to_numpy(zero_copy_only=False)
    coded = pc.list_flatten(pieces).dictionary_encode()
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    vocabulary = coded.dictionary
    filled = pc.not_equal(vocabulary, "").to_numpy(zero_copy_only=False)
    kept = filled[codes] if len(codes) else np.zeros(0, bool)
    pairs = np.unique(rows[kept].astype(np.int64) * max(len(vocabulary), 1) + codes[kept])
    rows, codes = np.divmod(pairs, max(len(vocabulary), 1))
    offsets = np.searchsorted(rows, np.arange(len(plain) + 1))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), vocabulary.take(pa.array(codes)))


def item_words(items: pa.Table, columns: list[str]) -> pa.Table:
    """`item_id` and `_words`, those of all the columns together."""
    texts = [pc.fill_null(items[name].cast(pa.string()), "") for name in columns]
    together = pc.binary_join_element_wise(*texts, " ")
    return pa.table({"item_id": items["item_id"], "_words": word_sets(together)})


def query_words(queries: pa.Array | pa.ChunkedArray) -> pa.Table:
    """`query` and `_words` of queries that have any."""
    words = word_sets(queries)
    found = pc.greater(pc.list_value_length(words), 0)
    return pa.table({"query": queries, "_words": words}).filter(found)


def vectors(embeddings: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Embeddings, scaled so that the largest component is `GRID` and rounded to whole numbers (float64).

    Null where there is none, or all is zero, or a component is null or not finite.
    """
    if isinstance(embeddings, pa.ChunkedArray):
        embeddings = embeddings.combine_chunks()
    lengths = (
        pc.fill_null(pc.list_value_length(embeddings), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    flat = pc.list_flatten(embeddings).cast(pa.float64()).to_numpy(zero_copy_only=False)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    largest = np.zeros(len(lengths))
    some = lengths > 0
    if some.any():
        # Not fmax: a null or NaN component must spoil its embedding.
        largest[some] = np.maximum.reduceat(np.abs(flat), starts[some])
    usable = np.isfinite(largest) & (largest > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = np.floor(flat / np.repeat(largest, lengths) * GRID + 0.5)
    kept = np.repeat(usable, lengths)
    return _lists(whole[kept], np.where(usable, lengths, 0), usable)


def _lists(
    values: npt.NDArray[np.float64], lengths: npt.NDArray[np.int64], valid: npt.NDArray[np.bool_]
) -> pa.Array:
    offsets = pa.array(np.append(0, np.cumsum(lengths)), pa.int32(), mask=np.append(~valid, False))
    return pa.ListArray.from_arrays(offsets, pa.array(values, pa.float64()))
