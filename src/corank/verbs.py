"""Every verb of the command line as a function of the same name and arguments.

Verbs that belong to one room are that room's functions; `train`, `predict` and `evaluate` join several rooms
and are written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from corank.abtest import abtest
from corank.errors import CorankError, unknown
from corank.evaluation.areas import auc, gauc
from corank.evaluation.compare import Comparison, compare_runs
from corank.evaluation.evaluate import Evaluation, evaluate_predictions, write_evaluation
from corank.evaluation.predictions import read_predictions
from corank.evaluation.probabilities import logloss
from corank.evaluation.ranking import rank
from corank.evaluation.runs import group_by_seed
from corank.evaluation.toplist import mrr, ndcg
from corank.explain import Explanation, explain_run
from corank.features.fit import fit_features
from corank.features.infer import infer_spec
from corank.features.reader import Reader
from corank.features.spec import FeatureSpec
from corank.features.store import SPLITS, Store
from corank.files import refuse_existing, refuse_folder, whole_folder
from corank.logs import check_logs as check
from corank.logs import import_logs
from corank.logs.marketplace import simulate
from corank.models.listing import model_sizes as models
from corank.models.registry import model_config
from corank.progress import QUIET, Reporter
from corank.report import report
from corank.report.audit import write_audit
from corank.report.explain import write_explanation
from corank.samples import build_samples as samples
from corank.samples.audit import Audit, audit_folder
from corank.training.config import TrainConfig
from corank.training.loop import Fit, fit
from corank.training.objective import Objective
from corank.training.predict import Scores, device_of, score
from corank.training.predictions import predictions_table, write_predictions
from corank.training.run import Metric, Run, RunInfo, SamplesRef, versions

__all__ = [
    "abtest",
    "audit",
    "check",
    "compare",
    "evaluate",
    "explain",
    "features",
    "import_logs",
    "models",
    "predict",
    "report",
    "samples",
    "simulate",
    "train",
]


def audit(
    folder: Path,
    out: Path | None = None,
    settings: Sequence[str] = (),
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> Audit:
    """Audit a log or samples: what biases them, what they miss, what changes from training to test.

    Args:
        folder: the five log tables, or what `corank samples` made.
        out: an HTML page to write.
        settings: `key=value` settings of `AuditConfig`, for a log; samples have those they were built with.
        overwrite: replace `out` if it exists.
        progress: where to report.

    Raises:
        CorankError: the folder is neither, or damaged, a setting does not fit, or `out` exists.
    """
    if out is not None:
        refuse_existing(out, overwrite)
        refuse_folder(out, "HTML file")
    found = audit_folder(folder, settings, progress)
    if out is not None:
        write_audit(found, out)
    return found


def features(folder: Path, out: Path, overwrite: bool = False) -> FeatureSpec:
    """Write the feature spec that training would infer from a store, as YAML to edit.

    Raises:
        CorankError: `folder` is not a store, or `out` exists.
    """
    refuse_existing(out, overwrite)
    spec = infer_spec(folder)
    spec.write(out)
    return spec


def train(
    folder: Path,
    run: Path,
    model: str = "unimixer_lite_s",
    seed: int = 0,
    settings: Sequence[str] = (),
    features: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> RunInfo:
    """Train a model on a store and fill a run folder.

    Args:
        folder: samples, made by `corank samples`.
        run: the folder to make; with `resume`, one whose training was interrupted.
        model: a name listed by `list_models`.
        seed: decides initial weights, the order of samples, dropout.
        settings: `a.b=c` changes to `TrainConfig`, or with the prefix `model.` to the model's configuration.
        features: a feature spec (YAML); default: inferred from the store.
        resume: go on from the last checkpoint; the other arguments must be as they were.
        overwrite: remove what is in `run` first.
        progress: where to report.

    Raises:
        CorankError: anything given does not exist or fit, or `run` exists and `resume` is not given.
    """
    if resume and overwrite:
        raise CorankError("train: --resume goes on with a run and --overwrite removes it; give one of them")
    store = Store(folder)
    of_model = [s.removeprefix("model.") for s in settings if s.startswith("model.")]
    config = TrainConfig().with_settings([s for s in settings if not s.startswith("model.")])
    sizes = model_config(model, of_model)
    device = device_of(config)
    place = Run(run)
    if not store.manifest.sizes["valid"].exposed.clicks:
        raise CorankError(
            f"{folder / 'valid'}: no exposed item is clicked; validation needs clicks to judge by"
        )
    if resume and place.exists:
        info = place.info()
        _refuse_change(place, info, model, seed, (sizes, config), store)
        fitted = place.features()
        if features and _spec(store, features) != fitted.spec:
            raise CorankError(f"{run}: cannot resume with other features; its own are in features/spec.yaml")
    else:
        refuse_existing(run, overwrite)
        fitted = fit_features(folder, _spec(store, features), progress)
        info = None

    torch.manual_seed(seed)
    network = sizes.build(fitted.schema)
    objective = Objective(config.loss, network)
    splits = (
        Reader(folder, fitted, "train", config.reader),
        Reader(folder, fitted, "valid", config.reader, space=config.valid_space),
    )
    if info is None:  # all that was given has been read: only now may an older run go
        info = RunInfo(
            model=model,
            seed=seed,
            samples=SamplesRef(
                path=str(folder), fingerprint=store.manifest.fingerprint, recipe=store.manifest.recipe
            ),
            parameters=network.parameter_counts(),
            versions=versions(),
            device=str(device),
        )
        with whole_folder(run, overwrite) as aside:
            fitted.save(aside / "features")
            Run(aside).write_config(sizes, config)
            Run(aside).write_info(info)
    job = Fit(
        run=place,
        model=network,
        objective=objective,
        train=splits[0],
        valid=splits[1],
        validate=validation_metrics,
        config=config,
        seed=seed,
        device=device,
    )
    state = fit(job, progress)
    place.write_mixing(place.model())
    done = info.model_copy(
        update={
            "seconds": state.seconds,
            "steps": state.step,
            "best_step": state.best_step,
            "best_metric": Metric(name=config.metric, value=state.best or 0.0),
        }
    )
    place.write_info(done)
    return done


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
    progress: Reporter = QUIET,
) -> Evaluation:
    """Score a split with a run's model and measure it, in every sample space and slice, with intervals.

    Fills the run's `predictions/SPLIT.parquet` and `evaluation/SPLIT.json`.

    Args:
        folder: samples; default: those that the run was trained on.
        resamples: bootstrap resamples of the test's requests.
        seed: of the resamples.

    Raises:
        CorankError: the run, the samples or the split is not there.
    """
    source = folder if folder is not None else _trained_on(run)
    predictions = predict(
        run, source, run / "predictions" / f"{split}.parquet", split, overwrite=True, progress=progress
    )
    evaluation = evaluate_predictions(
        read_predictions(predictions), resamples=resamples, seed=seed, progress=progress
    )
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
            source = _trained_on(run)
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


def validation_metrics(scores: Scores) -> dict[str, float]:
    """What training watches: the click task's metrics on the validation split."""
    clicks = scores.clicks
    ranking = rank(scores.scores["click"], scores.request)
    return {
        "gauc": gauc(ranking, clicks).value,
        "auc": auc(scores.scores["click"], clicks),
        "mrr": mrr(ranking, clicks).value,
        "ndcg@10": ndcg(ranking, clicks, 10).value,
        "logloss": logloss(scores.scores["click"], clicks),
    }


def _spec(store: Store, path: Path | None) -> FeatureSpec:
    """The spec in a file, or else the inferred one, its patterns expanded."""
    spec = FeatureSpec.read(path) if path else infer_spec(store.folder)
    return spec.expand({source: list(columns) for source, columns in store.columns.items()})


def _trained_on(run: Path) -> Path:
    """The samples that a run was trained on, where it says that they are.

    Raises:
        CorankError: others are there now.
    """
    recorded = Run(run).info().samples
    source = Path(recorded.path)
    if Store(source).manifest.fingerprint != recorded.fingerprint:
        raise CorankError(
            f"{source}: not the samples that {run} was trained on (their fingerprint has changed); "
            "name the samples to read"
        )
    return source


def _check_split(name: str) -> None:
    if name not in SPLITS:
        raise unknown("split", name, SPLITS)


def _refuse_change(
    place: Run, info: RunInfo, model: str, seed: int, configs: tuple[object, object], store: Store
) -> None:
    """A run goes on as it began, or not at all."""
    for what, was, now in (
        ("model", info.model, model),
        ("seed", info.seed, seed),
        ("samples (fingerprint)", info.samples.fingerprint, store.manifest.fingerprint),
    ):
        if was != now:
            raise CorankError(f"{place.folder}: cannot resume with another {what}: it was {was}, now {now}")
    if place.config() != configs:
        raise CorankError(f"{place.folder}: cannot resume with other settings; its own are in config.json")
