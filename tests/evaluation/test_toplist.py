"""NDCG, MRR, hit rate and precision equal their mean over every order of the tied rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corank.evaluation import GroupMetric, Ranking, auc, gauc, hit_rate, mrr, ndcg, precision, rank, recall

Rows = list[tuple[int, float, int]]
OfRanked = Callable[[list[float]], float]
ROWS = st.lists(
    st.tuples(
        st.integers(-1, 3),
        st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=14,
).filter(lambda rows: all(sum(row[0] == group for row in rows) <= 6 for group in range(-1, 4)))


def check(metric: GroupMetric, wanted: list[float | None]) -> None:
    assert np.allclose(
        metric.values, [math.nan if value is None else value for value in wanted], equal_nan=True
    )
    assert (metric.counted, metric.skipped) == (
        sum(value is not None for value in wanted),
        sum(value is None for value in wanted),
    )


def lists(values: Sequence[float], groups: Sequence[int]) -> dict[int, list[float]]:
    """The values of each group, in rising order of the groups."""
    found: dict[int, list[float]] = {group: [] for group in sorted(set(groups))}
    for value, group in zip(values, groups, strict=True):
        found[group].append(value)
    return found


def orders(scores: Sequence[float]) -> Iterator[Sequence[int]]:
    """Every order of the rows that respects the scores."""
    blocks = [
        list(permutations([row for row, score in enumerate(scores) if score == value]))
        for value in sorted(set(scores), reverse=True)
    ]
    for choice in product(*blocks):
        yield [row for block in choice for row in block]


def expected(scores: Sequence[float], labels: Sequence[float], of_ranked: OfRanked) -> float | None:
    """Mean of a metric of ranked labels over all orders; None where no label is positive."""
    if not any(labels):
        return None
    values = [of_ranked([labels[row] for row in order]) for order in orders(scores)]
    return sum(values) / len(values)


def ndcg_of(k: int) -> OfRanked:
    def dcg(ranked: Sequence[float]) -> float:
        return sum(label / math.log2(place + 2) for place, label in enumerate(ranked[:k]))

    return lambda ranked: dcg(ranked) / dcg(sorted(ranked, reverse=True))


def precision_of(k: int) -> OfRanked:
    return lambda ranked: sum(ranked[:k]) / k


def recall_of(k: int) -> OfRanked:
    return lambda ranked: sum(ranked[:k]) / sum(ranked)


def hit_of(k: int) -> OfRanked:
    return lambda ranked: float(any(ranked[:k]))


def reciprocal(ranked: list[float]) -> float:
    return 1 / (1 + next(place for place, label in enumerate(ranked) if label))


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize(
    ("metric", "definition"),
    [(ndcg, ndcg_of), (precision, precision_of), (recall, recall_of), (hit_rate, hit_of)],
)
@given(rows=ROWS)
def test_top_of_the_list(
    rows: Rows,
    k: int,
    metric: Callable[[Ranking, Sequence[float], int], GroupMetric],
    definition: Callable[[int], OfRanked],
) -> None:
    groups, scores, labels = zip(*rows, strict=True)
    by_score, by_label = lists(scores, groups), lists(labels, groups)
    wanted = [expected(by_score[group], by_label[group], definition(k)) for group in by_score]
    check(metric(rank(scores, groups), labels, k), wanted)


@given(ROWS)
def test_mrr(rows: Rows) -> None:
    groups, scores, labels = zip(*rows, strict=True)
    by_score, by_label = lists(scores, groups), lists(labels, groups)
    wanted = [expected(by_score[group], by_label[group], reciprocal) for group in by_score]
    check(mrr(rank(scores, groups), labels), wanted)


@given(ROWS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows: Rows, random: Random) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)
    results = []
    for given_rows in (rows, shuffled):
        groups, scores, labels = zip(*given_rows, strict=True)
        ranking = rank(scores, groups)
        metrics = (gauc(ranking, labels), mrr(ranking, labels), ndcg(ranking, labels, 3))
        results.append([metric.values for metric in (*metrics, hit_rate(ranking, labels, 3))])
    assert np.allclose(results[0], results[1], equal_nan=True)


def test_a_constant_scorer_earns_what_a_shuffled_list_earns() -> None:
    scores, labels = np.full(10, 0.3), np.arange(10) == 0
    ranking = rank(scores, np.zeros(10))
    harmonic = sum(1 / place for place in range(1, 11)) / 10
    assert mrr(ranking, labels).value == pytest.approx(harmonic)
    assert hit_rate(ranking, labels, 5).value == pytest.approx(0.5)
    assert precision(ranking, labels, 5).value == pytest.approx(0.1)
    assert gauc(ranking, labels).value == auc(scores, labels) == 0.5


def test_every_positive_counts_alike_in_recall() -> None:
    ranking = rank([4, 3, 2, 1, 2, 1], [0, 0, 0, 0, 1, 1])
    assert recall(ranking, [1, 1, 1, 0, 0, 1], 1).value == pytest.approx(1 / 4)
    assert recall(ranking, [1, 1, 1, 0, 0, 1], 2).value == pytest.approx(3 / 4)


def test_long_tied_lists_stay_exact() -> None:
    ranking = rank(np.zeros(100_000), np.zeros(100_000))
    assert hit_rate(ranking, np.arange(100_000) < 3, 50_000).value == pytest.approx(0.875, rel=1e-4)


def test_no_rows() -> None:
    nothing = rank([], [])
    for metric in (gauc(nothing, []), mrr(nothing, []), ndcg(nothing, [], 3), hit_rate(nothing, [], 3)):
        assert (metric.counted, metric.skipped) == (0, 0)
        assert math.isnan(metric.value)
    assert math.isnan(auc([], []))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: rank([0.1, math.nan], [0, 0]), "scores must be finite"),
        (lambda: rank([0.1, 0.2], [0]), "1 groups for 2 scores"),
        (lambda: auc([0.1, 0.2], [0, 2]), "labels must be 0 or 1"),
        (lambda: auc([0.1, 0.2], [0]), "1 labels for 2 rows"),
        (lambda: auc([0.1, 0.2], [0, 1], [1, -1]), "weights must not be negative"),
        (lambda: ndcg(rank([0.1], [0]), [1], 0), "k must be at least 1"),
    ],
)
def test_what_cannot_be_measured_is_refused(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()
