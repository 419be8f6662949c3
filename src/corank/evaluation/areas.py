"""AUC and GAUC: the share of (positive, negative) pairs in the right order, a tie counting one half."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corank.evaluation.arrays import Floats, Ints, binary, masses, ratio, sum_runs
from corank.evaluation.ranking import GroupMetric, Ranking, rank


def auc(scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Area under the ROC curve over all pairs of rows; not-a-number when only one label occurs.

    >>> auc([0.9, 0.4, 0.4, 0.1], [1, 1, 0, 0])
    0.875
    """
    return gauc(rank(scores), labels, weights).value


def gauc(ranking: Ranking, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> GroupMetric:
    """AUC of each group, weighted by its impressions (the sum of its rows' weights).

    A group without both labels is left out.

    >>> metric = gauc(rank([0.9, 0.4, 0.3, 0.8, 0.2], [7, 7, 7, 8, 8]), [0, 1, 0, 1, 0])
    >>> metric.values.tolist(), metric.weights.tolist(), metric.value
    ([0.5, 1.0], [3.0, 2.0], 0.7)
    """
    pairs = Pairs.of(ranking, labels)
    mass = masses(weights, ranking.rows)
    values = np.full(ranking.groups, np.nan)
    values[pairs.groups], _ = pairs.areas(mass[pairs.positives], mass[pairs.negatives])
    impressions = sum_runs(mass[ranking.order], ranking.group_starts) if ranking.rows else np.zeros(0)
    return GroupMetric(values, impressions)


@dataclass(frozen=True)
class Pairs:
    """The pairs of every group that has both labels, ready to be counted under many row weights.

    Groups with one label are gone, so that a resample costs one pass over the rows that matter.
    """

    groups: Ints
    """[kept] number of each kept group in the ranking."""
    positives: Ints
    """[positives] rows, by group."""
    negatives: Ints
    """[negatives] rows, by group and falling score."""
    positive_starts: Ints
    """[kept + 1] where each group's positives begin."""
    negative_starts: Ints
    """[kept + 1] where each group's negatives begin."""
    above: Ints
    """[positives] negatives, in all groups so far, that stand above the positive."""
    through: Ints
    """[positives] the same with those of equal score."""

    @classmethod
    def of(cls, ranking: Ranking, labels: npt.ArrayLike) -> Pairs:
        """Pair the rows of a ranking by their labels."""
        label = binary(labels, ranking.rows)[ranking.order]
        before = np.concatenate(([0], np.cumsum(label)))[ranking.group_starts]
        positives = np.diff(before)
        both = (positives > 0) & (positives < ranking.group_sizes)
        kept = both[ranking.group]
        positive = np.flatnonzero(kept & label)
        negative = kept & ~label
        so_far = np.concatenate(([0], np.cumsum(negative)))
        block = ranking.block[positive]
        return cls(
            groups=np.flatnonzero(both),
            positives=ranking.order[positive],
            negatives=ranking.order[negative],
            positive_starts=_starts(positives[both]),
            negative_starts=_starts((ranking.group_sizes - positives)[both]),
            above=so_far[ranking.block_starts[block]],
            through=so_far[ranking.block_starts[block + 1]],
        )

    def areas(self, positive: Floats, negative: Floats) -> tuple[Floats, Floats]:
        """AUC of each kept group, and its impressions, under weights of the positives and of the negatives.

        A group whose positives or negatives weigh nothing is not-a-number.
        """
        if not len(self.groups):
            return np.zeros(0), np.zeros(0)
        so_far = np.concatenate(([0.0], np.cumsum(negative)))
        end = np.repeat(so_far[self.negative_starts[1:]], np.diff(self.positive_starts))
        beaten = end - (so_far[self.above] + so_far[self.through]) / 2
        won = sum_runs(positive * beaten, self.positive_starts)
        positive_mass = sum_runs(positive, self.positive_starts)
        negative_mass = np.diff(so_far[self.negative_starts])
        return ratio(won, positive_mass * negative_mass), positive_mass + negative_mass


def _starts(sizes: Ints) -> Ints:
    return np.concatenate(([0], np.cumsum(sizes)))
