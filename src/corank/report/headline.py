"""The headline: the metrics of each model with intervals, and the difference of each to the first."""

from __future__ import annotations

from collections.abc import Sequence

from corank.errors import CorankError
from corank.evaluation.compare import Compared, compare_runs
from corank.evaluation.intervals import Difference, Estimate
from corank.evaluation.metrics import LOWER_IS_BETTER
from corank.report.runs import SPLIT, Model
from corank.report.sections import ABSENT, Cell, Section, Table

IN_TABLE = ("gauc", "auc", "ndcg@10", "mrr", "logloss")
METRICS = (*IN_TABLE, "calibration")
TITLES = {
    "gauc": "GAUC",
    "auc": "AUC",
    "ndcg@10": "NDCG@10",
    "mrr": "MRR",
    "logloss": "Log loss",
    "calibration": "Predicted / observed",
}


def compare_models(models: Sequence[Model]) -> tuple[list[Compared], list[str]]:
    """Each model, compared with the first; and why some cannot be. Those stand for themselves."""
    if not models:
        return [], []
    runs = [[run.folder for run in model.runs] for model in models]
    try:
        return list(compare_runs(runs, SPLIT, METRICS).models), []
    except CorankError:
        compared = list(compare_runs(runs[:1], SPLIT, METRICS).models)
    notes = []
    for group in runs[1:]:
        try:
            compared.append(compare_runs([runs[0], group], SPLIT, METRICS).models[1])
        except CorankError as error:
            notes.append(f"No difference is shown: {error}.")
            compared.append(compare_runs([group], SPLIT, METRICS).models[0])
    return compared, notes


def headline(models: Sequence[Model], compared: Sequence[Compared], problems: Sequence[str]) -> Section:
    """The table of models and metrics."""
    notes = list(problems)
    if compared:
        notes.insert(0, _how_to_read(models, len(compared)))
    else:
        notes.append("No run here has predictions of the test split yet: run 'corank evaluate' on them.")
    rows = tuple(
        (_name(model), *(_cell(one, metric) for metric in IN_TABLE))
        for model, one in zip(models, compared, strict=True)
    )
    header = ("Model", *(TITLES[metric] for metric in IN_TABLE))
    caption = "Test split, exposed rows; GAUC is per request. Below each value its 95 % interval"
    caption += "; then the difference to the first model, with its own." if len(rows) > 1 else "."
    tables = (Table(caption, header, rows),) if rows else ()
    return Section("headline", "In short", tuple(notes), tables)


def figure(value: float) -> str:
    """A metric as the report writes it."""
    return f"{value:.4f}"


def span(estimate: Estimate | Difference) -> str:
    """The interval of an estimate."""
    if estimate.low is None or estimate.high is None:
        return "no interval"
    sign = "+" if isinstance(estimate, Difference) else ""
    return f"{estimate.low:{sign}.4f} to {estimate.high:{sign}.4f}"


def tone(metric: str, gap: Difference) -> str:
    """Whether a difference is surely better or worse: its interval leaves out zero."""
    if gap.low is None or gap.high is None or gap.low <= 0 <= gap.high:
        return ""
    return "better" if (gap.low > 0) != (metric in LOWER_IS_BETTER) else "worse"


def _how_to_read(models: Sequence[Model], count: int) -> str:
    if count == 1:
        return "Intervals come from drawing the test requests anew, and say nothing about training again."
    seeds = any(len(model.runs) > 1 for model in models)
    cover = (
        "the requests, and the seeds where there are several" if seeds else "the requests, not training again"
    )
    return (
        "A difference is called better or worse where its interval leaves out zero; "
        f"many are looked at here, so one in forty on either side does so by chance. Intervals cover {cover}."
    )


def _name(model: Model) -> Cell:
    seeds = [str(run.seed) for run in model.runs if run.seed is not None]
    if not seeds:
        return Cell(model.label)
    return Cell(
        model.label, (f"seed {seeds[0]}" if len(seeds) == 1 else f"mean of seeds {', '.join(seeds)}",)
    )


def _cell(model: Compared, metric: str) -> Cell:
    estimate = model.values[metric]
    if estimate.value is None:
        return Cell(ABSENT, ("undefined",))
    gap = model.differences.get(metric)
    if gap is None or gap.value is None:
        return Cell(figure(estimate.value), (span(estimate),))
    word = tone(metric, gap)
    difference = f"{gap.value:+.4f}" + (f", {word}" if word else "")
    return Cell(figure(estimate.value), (span(estimate), difference, span(gap)), word)
