"""Hashed texts against a plain reference, character by character."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corank.errors import CorankError
from corank.features.texts import BYTES, Hashing, TextFit, Unit, fnv1a, text_units, text_words

UNITS: list[Unit] = ["words", "ngrams", "both"]
# Cases of both, digits of several widths, a composed and a decomposed accent, marks, ligatures, an emoji.
ALPHABET = "abABzß\u00e9e\u0301 \t-_/,.1\uff12²ﬁЖж漢字カ゛กิ็\u0915\u093f😀<>"
TEXTS = st.lists(st.none() | st.text(ALPHABET, max_size=25), max_size=12)


def plain_words(text: str | None) -> list[str]:
    folded = "".join(c.lower() for c in unicodedata.normalize("NFKC", text or ""))
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded)
    return kept.split()


def plain_units(word: str, unit: Unit, n: int) -> list[str]:
    marked = f"<{word}>"
    grams = [marked[i : i + n] for i in range(len(marked) - n + 1)] if len(marked) > n else [marked]
    both = [marked, *(grams if len(marked) > n else [])]
    return {"words": [marked], "ngrams": grams, "both": both}[unit]


def plain_hash(text: str) -> int:
    h = 0xCBF29CE484222325
    for byte in text.encode()[:BYTES]:
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


def plain_codes(text: str | None, unit: Unit, n: int, length: int, buckets: int) -> list[int]:
    units = [u for word in plain_words(text) for u in plain_units(word, unit, n)]
    hashes = [plain_hash(u) for u in units]
    codes = [2 + (h ^ (h >> 32)) % buckets for h in hashes][:length]
    return codes + [0] * (length - len(codes))


@pytest.mark.parametrize("unit", UNITS)
@settings(deadline=None)
@given(texts=TEXTS, ngram=st.integers(1, 6), length=st.integers(1, 9), buckets=st.integers(2, 5000))
def test_codes_are_those_of_the_definition(
    unit: Unit, texts: list[str | None], ngram: int, length: int, buckets: int
) -> None:
    codes = Hashing(buckets).encode(pa.array(texts, pa.string()), unit, ngram, length)
    assert codes.tolist() == [plain_codes(text, unit, ngram, length, buckets) for text in texts]
    assert codes.dtype == np.int32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", 0xCBF29CE484222325),
        (b"a", 0xAF63DC4C8601EC8C),
        (b"foobar", 0x85944171F73967E8),
    ],
)
def test_hashes_are_those_published(text: bytes, expected: int) -> None:
    """Of FNV-1a with 64 bits."""
    data = np.frombuffer(b"xx" + text + b"yy", np.uint8)
    assert fnv1a(data, np.array([2]), np.array([2 + len(text)])).tolist() == [expected]


def test_codes_never_change() -> None:
    """A model's rows are found by these: other values here would spoil every model that there is."""
    texts = pa.array(["Blaue Schuhe, Größe 42", "青い 靴", "it's", None])
    assert Hashing(2**16).encode(texts, "words", 3, 4).tolist() == [
        [17672, 20808, 59302, 63429],
        [25821, 61040, 0, 0],
        [58163, 50700, 0, 0],
        [0, 0, 0, 0],
    ]
    assert Hashing(2**16).encode(texts, "both", 3, 5)[1].tolist() == [25821, 6644, 48523, 61040, 0]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_text_has_the_same_codes_alone_in_a_slice_and_among_others(kind: pa.DataType) -> None:
    texts = pa.array(["red shoe", None, "shoe red shoe", "", "another thing"], kind)
    all_codes = Hashing(512).encode(texts, "both", 3, 30)
    for i in range(len(texts)):
        assert (Hashing(512).encode(texts.slice(i, 1), "both", 3, 30)[0] == all_codes[i]).all()
    assert all_codes[2, :5].tolist() == [*all_codes[0, 4:9].tolist()]


def test_a_text_without_words_has_no_codes() -> None:
    texts = pa.array([None, "", "  ", "?!", "<>"])
    assert not Hashing(64).encode(texts, "both", 3, 5).any()
    assert text_words(texts).to_pylist() == [[]] * 5
    assert Hashing(64).encode(pa.array([], pa.string()), "ngrams", 3, 5).shape == (0, 5)
    assert not Hashing(64).encode(pa.nulls(2, pa.string()), "words", 3, 5).any()


def test_bytes_that_are_no_text_are_refused() -> None:
    """Parquet files do not hold their writers to UTF-8."""
    bad = pa.array([b"red", b"\xff\xfe"], pa.binary()).view(pa.string())
    with pytest.raises(CorankError, match="not UTF-8"):
        Hashing(64).encode(bad, "words", 3, 5)


def test_a_word_without_end_is_hashed_by_its_beginning() -> None:
    same, other = "x" * 10_000, "x" * 10_001
    codes = Hashing(2**20).encode(pa.array([same, other, "x" * 100]), "words", 3, 1)
    assert codes[0] == codes[1] != codes[2]


def test_words_that_training_did_not_see_have_codes_that_agree() -> None:
    fit = TextFit()
    fit.add(pa.array(["red shoe"]), "words", 3, 12)
    codes = fit.done().encode(pa.array(["unheard", "an UNHEARD word"]), "words", 3, 3)
    assert codes[0, 0] == codes[1, 1] > 1
    grams = fit.done().encode(pa.array(["unheard", "unheards"]), "ngrams", 3, 12)
    assert len(set(grams[0]) & set(grams[1]) - {0}) == 6


def test_buckets_follow_from_what_training_holds() -> None:
    """Four or more for every distinct unit, and never few."""
    few, more = TextFit(), TextFit()
    few.add(pa.array(["a b", "b c", None]), "words", 3, 12)
    assert few.done().buckets == 1024
    words = [f"word{i}" for i in range(600)]
    for _ in range(2):
        more.add(pa.array(words), "words", 3, 12)
    assert more.done().buckets == 4096
    more.add(pa.array([" ".join(f"other{i}" for i in range(5000))]), "words", 3, 12)
    assert more.done().buckets == 4096, "words beyond the length are not read"
    given = TextFit(buckets=77)
    given.add(pa.array(words), "words", 3, 12)
    assert given.done() == Hashing(77)
    assert TextFit().done().cardinality == 1026


def test_units_are_told_apart() -> None:
    """Of 20,000 words and their n-grams no two have one hash."""
    words = pa.array([f"item{i}" for i in range(20_000)])
    _, hashes = text_units(words, "words", 3, 1)
    assert len(np.unique(hashes)) == 20_000
    codes = Hashing(2**17).encode(words, "words", 3, 1)
    expected = 2**17 * (1 - np.exp(-20_000 / 2**17))  # buckets that are not empty, if codes are even
    assert len(np.unique(codes)) == pytest.approx(expected, rel=0.02)
