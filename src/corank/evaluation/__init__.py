"""Metrics with intervals, sample spaces, and comparisons of runs on the same rows."""

from corank.evaluation.areas import auc, gauc
from corank.evaluation.compare import Comparison, compare_runs
from corank.evaluation.evaluate import Evaluation, evaluate_predictions, write_evaluation
from corank.evaluation.intervals import Difference, Estimate, paired_difference
from corank.evaluation.metrics import metric_names
from corank.evaluation.predictions import Predictions, predictions_of, read_predictions
from corank.evaluation.probabilities import Calibration, calibration, logloss, normalised_entropy
from corank.evaluation.ranking import GroupMetric, Ranking, rank
from corank.evaluation.toplist import hit_rate, mrr, ndcg, precision, recall

__all__ = [
    "Calibration",
    "Comparison",
    "Difference",
    "Estimate",
    "Evaluation",
    "GroupMetric",
    "Predictions",
    "Ranking",
    "auc",
    "calibration",
    "compare_runs",
    "evaluate_predictions",
    "gauc",
    "hit_rate",
    "logloss",
    "metric_names",
    "mrr",
    "ndcg",
    "normalised_entropy",
    "paired_difference",
    "precision",
    "predictions_of",
    "rank",
    "read_predictions",
    "recall",
    "write_evaluation",
]
