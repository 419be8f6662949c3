"""The metrics by name, each as a statistic that can be resampled over requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
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
LOWER_IS_BETTER = frozenset({"logloss", "ne", "ece", "ctcvr_logloss", "ctcvr_ne", "ctcvr_ece"})


def metric_names(ks: Sequence[int] = KS, purchase_scores: bool = False) -> tuple[str, ...]:
    """All metrics, those of the top k for each k.

    `purchase_` marks those of the purchase label, lists being in the order of the click score; `ctcvr_`,
    where there are `purchase_scores`, those of the purchase label and score.

    >>> metric_names(ks=[5])[:9]
    ('auc', 'gauc', 'gauc_user', 'logloss', 'ne', 'mrr', 'ndcg@5', 'hr@5', 'precision@5')
    """
    clicks = ["auc", "gauc", "gauc_user", "logloss", "ne", "mrr"]
    clicks += [f"{name}@{k}" for name in ("ndcg", "hr", "precision", "recall") for k in ks]
    purchases = ["auc", "gauc"] + [f"{name}@{k}" for name in ("ndcg", "hr", "recall") for k in ks]
    probabilities = ("logloss", "ne", "calibration", "ece")
    both = [*purchases[:2], *probabilities, *purchases[2:]] if purchase_scores else []
    return (
        *clicks,
        *probabilities[2:],
        *(f"purchase_{name}" for name in purchases),
        *(f"ctcvr_{name}" for name in both),
    )


def build_statistics(predictions: Predictions, names: Iterable[str]) -> dict[str, Statistic]:
    """The named metrics of some predictions.

    Raises:
        CorankError: a name is not that of a metric, or asks for a score that there is not.
    """
    by_click, by_purchase = _Rankings(predictions), None
    if predictions.score_purchase is not None:
        by_purchase = _Rankings(replace(predictions, score=predictions.score_purchase))
    return {name: _statistic(by_click, by_purchase, name) for name in names}


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


def _statistic(by_click: _Rankings, by_purchase: _Rankings | None, name: str) -> Statistic:
    prefix, short = next(
        ((start, name.removeprefix(start)) for start in _OF_PURCHASES if name.startswith(start)), ("", name)
    )
    kind, at, k = short.partition("@")
    known = _AT_K if at else _PLAIN
    if kind not in known or (prefix and kind not in _OF_PURCHASES[prefix]):
        raise unknown("metric", name, metric_names(purchase_scores=True))
    rankings = by_purchase if prefix == "ctcvr_" else by_click
    if rankings is None:
        raise CorankError(
            f"metric '{name}': the predictions have no column 'score_purchase'; models with"
            " tasks=[click, purchase] write it"
        )
    labels = rankings.predictions.purchase if prefix else rankings.predictions.click
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
_ORDERS = ("auc", "gauc", "ndcg", "hr", "recall")
_OF_PURCHASES = {"purchase_": _ORDERS, "ctcvr_": (*_ORDERS, "logloss", "ne", "calibration", "ece")}
