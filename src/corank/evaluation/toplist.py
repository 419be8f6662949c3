"""NDCG, MRR, hit rate, precision and recall: what stands at the top of each list.

Where scores tie, each is its exact expected value over a random order of the tied rows, so that a
constant scorer earns what a shuffled list earns. A list without a positive is left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from corank.evaluation.arrays import Bools, Floats, Ints, binary, ratio, sum_by, sum_runs
from corank.evaluation.ranking import GroupMetric, Ranking


def ndcg(ranking: Ranking, labels: npt.ArrayLike, k: int) -> GroupMetric:
    """Discounted gain of the top k places, divided by the most that the list could earn."""
    _check(k)
    label = binary(labels, ranking.rows)[ranking.order]
    places = np.arange(1, k + 1)
    ideal = np.concatenate(([0.0], np.cumsum(1 / np.log2(places + 1))))
    discount = np.where(ranking.rank <= k, 1 / np.log2(ranking.rank + 1), 0.0)
    earned = _by_group(ranking, _expected(ranking, label) * discount)
    positives = _by_group(ranking, label)
    return _equal(ratio(earned, ideal[np.minimum(positives, k).astype(np.int64)]))


def precision(ranking: Ranking, labels: npt.ArrayLike, k: int) -> GroupMetric:
    """Positives among the top k places, divided by k (also where the list is shorter)."""
    _check(k)
    label = binary(labels, ranking.rows)[ranking.order]
    found = _by_group(ranking, _expected(ranking, label) * (ranking.rank <= k))
    return _equal(np.where(_by_group(ranking, label) > 0, found / k, np.nan))


def recall(ranking: Ranking, labels: npt.ArrayLike, k: int) -> GroupMetric:
    """Positives among the top k places, divided by the list's; weighted so that every positive counts alike.

    On purchases in all channels it is ASPH@k (Zheng et al. 2023, arXiv 2305.13647): the share of the items
    that were bought that stand in the top k.
    """
    _check(k)
    label = binary(labels, ranking.rows)[ranking.order]
    found = _by_group(ranking, _expected(ranking, label) * (ranking.rank <= k))
    positives = _by_group(ranking, label)
    return GroupMetric(ratio(found, positives), positives)


def hit_rate(ranking: Ranking, labels: npt.ArrayLike, k: int) -> GroupMetric:
    """Probability that a positive stands among the top k places."""
    _check(k)
    label = binary(labels, ranking.rows)[ranking.order]
    if not ranking.rows:
        return _equal(np.zeros(0))
    so_far = np.concatenate(([0], np.cumsum(label)))
    first = ranking.group_starts[:-1]
    last = first + np.minimum(k, ranking.group_sizes)
    block = ranking.block[last - 1]
    begin, end = ranking.block_starts[block], ranking.block_starts[block + 1]
    sure = so_far[begin] > so_far[first]
    # Of the block that the k-th place cuts, a random part of `last - begin` rows stands within the top k.
    missed = _share_without(end - begin, so_far[end] - so_far[begin], last - begin)
    positives = so_far[ranking.group_starts[1:]] - so_far[first]
    return _equal(np.where(positives > 0, np.where(sure, 1.0, 1.0 - missed), np.nan))


def mrr(ranking: Ranking, labels: npt.ArrayLike) -> GroupMetric:
    """One divided by the rank of the first positive."""
    label = binary(labels, ranking.rows)[ranking.order]
    first_hit = np.full(ranking.groups, -1)
    hits = np.flatnonzero(label)
    first_hit[ranking.group[hits[::-1]]] = ranking.block[hits[::-1]]
    tied = np.flatnonzero(ranking.block == first_hit[ranking.group])
    block = ranking.block[tied]
    size = np.diff(ranking.block_starts)[block]
    positives = _by_block(ranking, label)[block].astype(np.int64)
    ahead = tied - ranking.block_starts[block]
    # A row is the block's first positive if none is ahead of it and it is one of those left.
    chance = _share_without(size, positives, ahead) * positives / (size - ahead)
    reciprocal = sum_by(ranking.group[tied], chance / ranking.rank[tied], ranking.groups)
    return _equal(np.where(first_hit >= 0, reciprocal, np.nan))


def _expected(ranking: Ranking, label: Bools) -> Floats:
    """[rows] chance of a positive at each place: the mean label of its block."""
    return (_by_block(ranking, label) / np.diff(ranking.block_starts))[ranking.block]


def _share_without(size: Ints, positives: Ints, drawn: Ints) -> Floats:
    """Chance that `drawn` of `size` rows, `positives` of them positive, hold no positive.

    C(size - positives, drawn) / C(size, drawn), from a table of logarithms of factorials.
    """
    longest = int(size.max(initial=0))
    log_factorial = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, longest + 1)))))
    negatives = size - positives
    possible = drawn <= negatives
    left = np.where(possible, negatives - drawn, 0)
    log_share = (
        log_factorial[negatives] - log_factorial[left] + log_factorial[size - drawn] - log_factorial[size]
    )
    return np.where(possible, np.exp(log_share), 0.0)


def _by_group(ranking: Ranking, values: npt.NDArray[np.generic]) -> Floats:
    return sum_runs(values, ranking.group_starts) if ranking.rows else np.zeros(0)


def _by_block(ranking: Ranking, values: npt.NDArray[np.generic]) -> Floats:
    return sum_runs(values, ranking.block_starts) if ranking.rows else np.zeros(0)


def _equal(values: Floats) -> GroupMetric:
    return GroupMetric(values, np.ones(len(values)))


def _check(k: int) -> None:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
