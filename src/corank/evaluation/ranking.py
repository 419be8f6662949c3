"""Rows in ranked order within their groups: sorted once, measured many times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from corank.evaluation.arrays import Floats, Ints, finite, ratio, starts_of_runs


@dataclass(frozen=True)
class Ranking:
    """Rows sorted by group and, within a group, by falling score; equal scores form a block.

    No metric depends on the order inside a block: each is the expected value over a random order of it.
    """

    order: Ints
    """[rows] row at each sorted place."""
    group_starts: Ints
    """[groups + 1] sorted place where each group begins, then the number of rows; groups in rising order."""
    block_starts: Ints
    """[blocks + 1] sorted place where each block begins, then the number of rows."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.order)

    @property
    def groups(self) -> int:
        """Number of groups."""
        return len(self.group_starts) - 1

    @cached_property
    def group_sizes(self) -> Ints:
        """[groups] rows in each group."""
        return np.diff(self.group_starts)

    @cached_property
    def group(self) -> Ints:
        """[rows] number of the group at each sorted place."""
        return np.repeat(np.arange(self.groups), self.group_sizes)

    @cached_property
    def block(self) -> Ints:
        """[rows] number of the block at each sorted place."""
        return np.repeat(np.arange(len(self.block_starts) - 1), np.diff(self.block_starts))

    @cached_property
    def rank(self) -> Ints:
        """[rows] 1 for the highest place of the group."""
        return np.arange(self.rows) - self.group_starts[self.group] + 1


def rank(scores: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Ranking:
    """Sort rows by group and falling score; without groups, all rows are one group.

    Raises:
        ValueError: a score is not finite, or there is not one group for each score.
    """
    score = finite(scores, "scores")
    if groups is None:
        order = np.argsort(-score, kind="stable")
        whole = np.array([0, len(score)] if len(score) else [0])
        return Ranking(order, whole, starts_of_runs(score[order]))
    group = np.asarray(groups)
    if group.shape != score.shape:
        raise ValueError(f"{group.size} groups for {len(score)} scores")
    order = np.lexsort((-score, group))
    group = group[order]
    return Ranking(order, starts_of_runs(group), starts_of_runs(group, score[order]))


@dataclass(frozen=True)
class GroupMetric:
    """A metric of each group, and its mean over the groups in which it is defined."""

    values: Floats
    """[groups] in rising order of the groups; not-a-number where the group is left out."""
    weights: Floats
    """[groups] what each group counts in the mean."""

    @property
    def value(self) -> float:
        """Weighted mean over the counted groups; not-a-number if there is none."""
        counted = ~np.isnan(self.values)
        weights = self.weights[counted]
        return float(ratio(np.sum(weights * self.values[counted]), weights.sum()))

    @property
    def counted(self) -> int:
        """Groups in which the metric is defined."""
        return int(np.count_nonzero(~np.isnan(self.values)))

    @property
    def skipped(self) -> int:
        """Groups left out."""
        return len(self.values) - self.counted
