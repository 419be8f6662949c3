"""From samples to a run: `train`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from corank.errors import CorankError
from corank.evaluation.areas import auc, gauc
from corank.evaluation.probabilities import logloss
from corank.evaluation.ranking import rank
from corank.evaluation.toplist import mrr, ndcg
from corank.features.fit import fit_features
from corank.features.infer import infer_spec
from corank.features.reader import Reader
from corank.features.spec import FeatureSpec
from corank.features.store import Store
from corank.files import refuse_existing, whole_folder
from corank.models.registry import model_config
from corank.progress import QUIET, Reporter
from corank.training.config import TrainConfig
from corank.training.loop import Fit, fit
from corank.training.objective import Objective
from corank.training.predict import Scores, device_of
from corank.training.run import Metric, Run, RunInfo, SamplesRef, versions


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
    sizes = model_config(model, of_model)
    of_training = [s for s in settings if not s.startswith("model.")]
    for setting in of_training:
        name = setting.partition("=")[0].strip()
        if name.partition(".")[0] in type(sizes).model_fields.keys() - TrainConfig.model_fields.keys():
            raise CorankError(f"--set: '{name}' is the model's; did you mean 'model.{name}'?")
    config = TrainConfig().with_settings(of_training)
    device = device_of(config)
    place = Run(run)
    by_purchases = config.metric.startswith("ctcvr_")
    if by_purchases and "purchase" not in sizes.tasks:
        raise CorankError(
            f"metric={config.metric} needs the task purchase; set model.tasks=[click, purchase]"
        )
    shown = store.manifest.sizes["valid"].exposed
    if not (shown.purchases if by_purchases else shown.clicks):
        missing = "bought" if by_purchases else "clicked"
        raise CorankError(
            f"{folder / 'valid'}: no exposed item is {missing}; validation by {config.metric} needs some"
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
                path=str(folder.resolve()),
                fingerprint=store.manifest.fingerprint,
                recipe=store.manifest.recipe,
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


def validation_metrics(scores: Scores) -> dict[str, float]:
    """What training watches on the validation split: clicks, and purchases if the model scores them."""
    clicks = scores.clicks
    ranking = rank(scores.scores["click"], scores.request)
    watched = {
        "gauc": gauc(ranking, clicks).value,
        "auc": auc(scores.scores["click"], clicks),
        "mrr": mrr(ranking, clicks).value,
        "ndcg@10": ndcg(ranking, clicks, 10).value,
        "logloss": logloss(scores.scores["click"], clicks),
    }
    if "purchase" in scores.scores and scores.purchases.any():
        bought, purchases = scores.scores["purchase"], scores.purchases
        watched["ctcvr_gauc"] = gauc(rank(bought, scores.request), purchases).value
        watched["ctcvr_auc"] = auc(bought, purchases)
        watched["ctcvr_logloss"] = logloss(bought, purchases)
    return watched


def _spec(store: Store, path: Path | None) -> FeatureSpec:
    """The spec in a file, or else the inferred one, its patterns expanded."""
    spec = FeatureSpec.read(path) if path else infer_spec(store.folder)
    return spec.expand({source: list(columns) for source, columns in store.columns.items()})


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
