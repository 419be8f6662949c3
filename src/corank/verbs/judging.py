"""What a run is worth: `predict`, `evaluate`, `compare`, `explain`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from corank.errors import CorankError, unknown
from corank.evaluation.compare import Comparison, compare_runs
from corank.evaluation.evaluate import (
    Evaluation,
    evaluate_predictions,
    evaluation_path,
    refuse_other_samples,
    write_evaluation,
)
from corank.evaluation.predictions import read_predictions
from corank.evaluation.runs import group_by_seed
from corank.explain import Explanation, explain_run
from corank.features.reader import Reader
from corank.features.store import SPLITS, Store
from corank.files import refuse_existing
from corank.progress import QUIET, Reporter
from corank.report.explain import write_explanation
from corank.training.predict import device_of, score
from corank.training.predictions import predictions_table, write_predictions
from corank.training.run import Run


def predict(
    run: Path,
    folder: Path,
    out: Path,
    split: str = "test",
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> Path:
    """Score every sample of a split and write `out`, a Parquet file with one row a sample.

    Raises:
        CorankError: the run, the samples or the split is not there, or `out` exists.
    """
    refuse_existing(out, overwrite)
    _check_split(split)
    place = Run(run)
    model, fitted = place.model(), place.features()
    _, config = place.config()
    device = device_of(config)
    reader = Reader(folder, fitted, split, config.reader)
    scores = score(model.to(device), reader, device, progress)
    write_predictions(out, predictions_table(Store(folder), split, fitted, scores))
    return out


def evaluate(
    run: Path,
    folder: Path | None = None,
    split: str = "test",
    resamples: int = 1000,
    seed: int = 0,
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> Evaluation:
    """Score a split with a run's model and measure it, in every sample space and slice, with intervals.

    Fills the run's `predictions/SPLIT.parquet` and `evaluation/SPLIT.json`.

    Args:
        folder: samples; default: those that the run was trained on.
        resamples: bootstrap resamples of the test's requests.
        seed: of the resamples.
        overwrite: replace an evaluation on other samples.
        progress: where to report.

    Raises:
        CorankError: the run, the samples or the split is not there, or the run holds an evaluation on others.
    """
    source = folder if folder is not None else Run(run).samples()
    scored = Store(source).manifest.fingerprint
    if not overwrite:
        refuse_other_samples(evaluation_path(run, split), scored)
    predictions = predict(
        run, source, run / "predictions" / f"{split}.parquet", split, overwrite=True, progress=progress
    )
    evaluation = evaluate_predictions(
        read_predictions(predictions), resamples=resamples, seed=seed, progress=progress
    )
    evaluation = replace(evaluation, samples=scored)
    write_evaluation(run, split, evaluation)
    return evaluation


def explain(
    run: Path,
    samples: Path | None = None,
    split: str = "valid",
    requests: int = 200,
    request: str | None = None,
    items: Sequence[str] = (),
    groups: Sequence[str] = (),
    baseline: str = "mean",
    out: Path | None = None,
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> Explanation:
    """Look into a run: mixing matrices, hidden states, which groups mix, and why a request's items score so.

    Fills `explain.html` and `explain.json` in the folder `out`.

    Args:
        run: a finished run.
        samples: default: those that the run was trained on; not needed if no request is read.
        split: of the requests read.
        requests: how many are read for hidden states, attention and the mean embedding.
        request: id of one whose scores are explained.
        items: which of its items; default: the three with the best scores.
        groups: feature groups of which fields are shown too.
        baseline: what a part without input is: `mean` of the requests read, or all `missing`.
        out: the folder to make; default: `RUN/explain`, replaced if it is there.
        overwrite: replace `out` if it exists.
        progress: where to report.

    Raises:
        CorankError: anything given does not exist or fit, or `out` exists.
    """
    place = Run(run)
    target = place.folder / "explain" if out is None else out
    refuse_existing(target, overwrite or out is None)
    place.info()
    source = samples
    if source is None:
        try:
            source = place.samples()
        except CorankError:
            if requests or request is not None:
                raise
    found = explain_run(place, source, split, requests, request, items, groups, baseline, progress)
    write_explanation(found, run, target, overwrite or out is None)
    return found


def compare(
    runs: Sequence[Path],
    split: str = "test",
    space: str = "exposed",
    resamples: int = 1000,
    seed: int = 0,
    progress: Reporter = QUIET,
) -> Comparison:
    """Paired differences of evaluated runs to the first; runs that differ only in seed are taken together.

    Raises:
        CorankError: a folder is not an evaluated run, or the runs hold different rows.
    """
    _check_split(split)
    return compare_runs(
        group_by_seed(runs), split, space=space, resamples=resamples, seed=seed, progress=progress
    )


def _check_split(name: str) -> None:
    if name not in SPLITS:
        raise unknown("split", name, SPLITS)
