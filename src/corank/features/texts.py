"""Texts as hashed units: words, character n-grams, or both; no vocabulary, so unseen texts have codes too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corank.errors import CorankError
from corank.features.schema import FIRST
from corank.features.transforms import Codes, list_parts, pad

Unit = Literal["words", "ngrams", "both"]
Hashes = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

BYTES = 256
"""A unit is hashed by so many bytes at the most: what is longer than that is not a word."""
FEWEST, MOST, SPREAD = 2**10, 2**20, 4  # buckets, and buckets a distinct unit of training at the least


@dataclass(frozen=True)
class Hashing:
    """Units of texts to codes: `2 + hash mod buckets`; 0 where there are no more.

    >>> Hashing(1024).encode(pa.array(["Red shoes", "shoes!", "", None]), "words", 3, 2).tolist()
    [[762, 508], [508, 0], [0, 0], [0, 0]]
    """

    buckets: int

    @property
    def cardinality(self) -> int:
        """Number of codes; as in a vocabulary, the first two are no unit's."""
        return self.buckets + FIRST

    def encode(self, texts: pa.Array, unit: Unit, ngram: int, length: int) -> Codes:
        """Codes [n, length] of the first `length` units of each text."""
        offsets, hashes = text_units(texts, unit, ngram, length)
        folded = hashes ^ (hashes >> np.uint64(32))  # the last byte alone moves few of FNV's high bits
        codes = (folded % np.uint64(self.buckets)).astype(np.int32) + np.int32(FIRST)
        return pad(offsets, codes, length)


class TextFit:
    """Finds how many buckets a field and those that share with it need.

    The power of two that has 4 buckets or more for every distinct unit of training, 2^10 to 2^20.

    Args:
        buckets: what was asked for.
    """

    def __init__(self, buckets: int | None = None) -> None:
        self.buckets = buckets
        self.seen: Hashes = np.zeros(0, np.uint64)

    def add(self, texts: pa.Array, unit: Unit, ngram: int, length: int) -> None:
        """Read some texts."""
        if self.buckets is None:
            _, hashes = text_units(pc.unique(texts), unit, ngram, length)
            self.seen = np.union1d(self.seen, hashes)

    def done(self) -> Hashing:
        """What was found."""
        wanted = 1 << max(SPREAD * len(self.seen) - 1, 0).bit_length()
        return Hashing(self.buckets or min(max(wanted, FEWEST), MOST))


def text_words(texts: pa.Array) -> pa.Array:
    """The words of each text, a list column: lower case, cut at what is no letter, mark or digit (NFKC).

    Raises:
        CorankError: a text is not UTF-8.

    >>> text_words(pa.array(["Red RED-shoe, 2 m²", "  ", None])).to_pylist()
    [['red', 'red', 'shoe', '2', 'm2'], [], []]
    """
    plain = pc.fill_null(texts.cast(pa.large_string()), "")
    try:
        lower = pc.utf8_lower(pc.utf8_normalize(plain, form="NFKC"))
    except pa.ArrowInvalid:
        raise CorankError("a text holds bytes that are not UTF-8; mend the column, or leave it out") from None
    pieces = pc.split_pattern_regex(lower, r"[^\p{L}\p{M}\p{N}]+")
    offsets, flat = list_parts(pieces)
    filled = pc.not_equal(flat, "")
    kept = np.concatenate([[0], np.cumsum(filled.to_numpy(zero_copy_only=False), dtype=np.int64)])
    return pa.LargeListArray.from_arrays(pa.array(kept[offsets]), flat.filter(filled))


def text_units(texts: pa.Array, unit: Unit, ngram: int, length: int) -> tuple[Ints, Hashes]:
    """Offsets [n + 1], and the hashes of the units of the first `length` words of each text, in order.

    A word stands between `<` and `>`. Its n-grams are all runs of `ngram` characters of that, or the whole
    where it is shorter; `both` is the word and then its n-grams.
    """
    offsets, words = list_parts(text_words(texts))
    sizes = np.minimum(np.diff(offsets), length)
    words = words.take(pa.array(_ranges(offsets[:-1], sizes)))
    coded = words.dictionary_encode()
    firsts, hashes = _units_of_words(coded.dictionary, unit, ngram)
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.diff(firsts)[codes]
    ends = np.concatenate([[0], np.cumsum(counts)])
    return ends[np.concatenate([[0], np.cumsum(sizes)])], hashes[_ranges(firsts[codes], counts)]


def _units_of_words(words: pa.Array, unit: Unit, ngram: int) -> tuple[Ints, Hashes]:
    """Offsets [n + 1] and hashes of the units of each word."""
    before, after, nothing = (pa.scalar(mark, words.type) for mark in ("<", ">", ""))
    marked = pc.binary_join_element_wise(before, words, after, nothing)
    together = pc.binary_join(pa.LargeListArray.from_arrays([0, len(marked)], marked), nothing)
    data = np.frombuffer(together[0].as_py().encode(), np.uint8)
    characters = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))  # where each begins
    sizes = pc.utf8_length(marked).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    whole = 0 if unit == "ngrams" else 1
    grams = np.zeros_like(sizes) if unit == "words" else np.maximum(sizes - ngram + 1, 1)
    if unit == "both":  # what is no longer than an n-gram is the word itself
        grams[sizes <= ngram] = 0
    counts = whole + grams
    firsts = np.concatenate([[0], np.cumsum(counts)])
    at = _ranges(np.full_like(counts, -whole), counts)  # of a word -1, then 0, 1... of its n-grams
    begin, end = np.repeat(starts, counts) + np.maximum(at, 0), np.repeat(ends, counts)
    end = np.where(at >= 0, np.minimum(begin + ngram, end), end)
    return firsts, fnv1a(data, characters[begin], characters[end])


def fnv1a(data: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> Hashes:
    """The 64-bit FNV-1a hash of each range of bytes, of its first `BYTES` bytes.

    Fowler, Noll, Vo (RFC 9923): `h = (h xor byte) * prime` from an offset basis, modulo 2^64.

    >>> hex(fnv1a(np.frombuffer(b"foobar", np.uint8), np.array([0]), np.array([6]))[0])
    '0x85944171f73967e8'
    """
    sizes = np.minimum(ends - starts, BYTES)
    order = np.argsort(-sizes, kind="stable")
    starts, longest = starts[order], sizes[order]
    hashes = np.full(len(order), 0xCBF29CE484222325, np.uint64)
    prime = np.uint64(0x100000001B3)
    for i in range(int(longest[0]) if len(longest) else 0):
        left = int(np.searchsorted(-longest, -i, side="left"))  # those longer than i come first
        hashes[:left] = (hashes[:left] ^ data[starts[:left] + i]) * prime
    found = np.empty_like(hashes)
    found[order] = hashes
    return found


def _ranges(starts: Ints, sizes: Ints) -> Ints:
    """`starts[i] ... starts[i] + sizes[i] - 1` for every i, one after another."""
    before = np.cumsum(sizes) - sizes
    ranges: Ints = np.arange(int(sizes.sum())) + np.repeat(starts - before, sizes)
    return ranges
