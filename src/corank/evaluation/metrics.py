"""The metrics by name, each as a statistic that can be resampled over requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from corank.errors import CorankError, unknown
from corank.evaluation import statistics as st
from corank.evaluation.areas import gauc
from corank.evaluation.arrays import Bools
from corank.evaluation.predictions import Predictions
from corank.evaluation.ranking import Ranking, rank
from corank.evaluation.statistics import Statistic
from corank.evaluation.toplist import hit_rate, mrr, ndcg, precision, recall

KS = (1, 5, 10)
LOWER_IS_BETTER = frozenset({"logloss", "ne", "ece"})


def metric_names(ks: Sequence[int] = KS) -> tuple[str, ...]:
    """All metrics, those of the top k for each k; `purchase_` marks those of the purchase label.

    >>> metric_names(ks=[5])[:9]
    ('auc', 'gauc', 'gauc_user', 'logloss', 'ne', 'mrr', 'ndcg@5', 'hr@5', 'precision@5')
    """
    clicks = ["auc", "gauc", "gauc_user", "logloss", "ne", "mrr"]
    clicks += [f"{name}@{k}" for name in ("ndcg", "hr", "precision", "recall") for k in ks]
    purchases = ["auc", "gauc"] + [f"{name}@{k}" for name in ("ndcg", "hr", "recall") for k in ks]
    return (*clicks, "calibration", "ece", *(f"purchase_{name}" for name in purchases))


def build_statistics(predictions: Predictions, names: Iterable[str]) -> dict[str, Statistic]:
    """The named metrics of some predictions.

    Raises:
        CorankError: a name is not that of a metric.
    """
    rankings = _Rankings(predictions)
    return {name: _statistic(rankings, name) for name in names}


class _Rankings:
    """The sorted orders that metrics share, each made when first asked for."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions

    @cached_property
    def pooled(self) -> Ranking:
        return rank(self.predictions.score)

    @cached_property
    def by_request(self) -> Ranking:
        return rank(self.predictions.score, self.predictions.request)

    @cached_property
    def by_user(self) -> Ranking:
        return rank(self.predictions.score, self.predictions.user)


def _statistic(rankings: _Rankings, name: str) -> Statistic:
    short = name.removeprefix("purchase_")
    purchase = short != name
    labels = rankings.predictions.purchase if purchase else rankings.predictions.click
    kind, at, k = short.partition("@")
    known = _AT_K if at else _PLAIN
    if kind not in known or (purchase and kind not in _OF_PURCHASES):
        raise unknown("metric", name, metric_names())
    if not at:
        return _PLAIN[kind](rankings, labels)
    if not (k.isascii() and k.isdigit() and 1 <= int(k) <= 10_000):
        raise CorankError(f"metric '{name}': '{k}' is not a number of places between 1 and 10000")
    return st.mean_over_requests(_AT_K[kind](rankings.by_request, labels, int(k)))


def _of_probabilities(build: Callable[..., Statistic]) -> Callable[[_Rankings, Bools], Statistic]:
    def statistic(rankings: _Rankings, labels: Bools) -> Statistic:
        rows = rankings.predictions
        return build(rows.request, rows.score, labels, rows.weight)

    return statistic


def _auc(rankings: _Rankings, labels: Bools) -> Statistic:
    rows = rankings.predictions
    return st.mean_area(rows.request, rankings.pooled, labels, rows.weight)


def _gauc_user(rankings: _Rankings, labels: Bools) -> Statistic:
    rows = rankings.predictions
    return st.mean_area(rows.request, rankings.by_user, labels, rows.weight)


def _gauc(rankings: _Rankings, labels: Bools) -> Statistic:
    return st.mean_over_requests(gauc(rankings.by_request, labels, rankings.predictions.weight))


def _mrr(rankings: _Rankings, labels: Bools) -> Statistic:
    return st.mean_over_requests(mrr(rankings.by_request, labels))


_PLAIN: dict[str, Callable[[_Rankings, Bools], Statistic]] = {
    "auc": _auc,
    "gauc": _gauc,
    "gauc_user": _gauc_user,
    "mrr": _mrr,
    "logloss": _of_probabilities(st.mean_loss),
    "ne": _of_probabilities(st.mean_loss_normalised),
    "calibration": _of_probabilities(st.calibration_ratio),
    "ece": _of_probabilities(st.calibration_error),
}
_AT_K = {"ndcg": ndcg, "hr": hit_rate, "precision": precision, "recall": recall}
_OF_PURCHASES = ("auc", "gauc", "ndcg", "hr", "recall")
