"""The training loop: steps, evaluations, early stopping, checkpoints that resume to the same bits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from corank.errors import CorankError
from corank.features.reader import Reader
from corank.models.base import RankingModel
from corank.progress import QUIET, Reporter
from corank.training.checkpoint import State, load_checkpoint, save_checkpoint, save_weights
from corank.training.config import TrainConfig
from corank.training.losses import loss
from corank.training.optimizer import make_optimizer, set_rate
from corank.training.predict import Scores, score
from corank.training.run import Run

LOWER_IS_BETTER = frozenset({"logloss"})

Validate = Callable[[Scores], dict[str, float]]


@dataclass(frozen=True)
class Fit:
    """What `fit` needs: a model, its data, and how to judge it.

    Attributes:
        run: the folder to fill; checkpoints in it are resumed from.
        model: with initial weights.
        train, valid: readers of the two splits.
        validate: metrics of the validation split's scores, by name; `config.metric` must be among them.
        config: how to train.
        seed: decides the order of samples and dropout (and, before, the initial weights).
        device: where the model runs.
    """

    run: Run
    model: RankingModel
    train: Reader
    valid: Reader
    validate: Validate
    config: TrainConfig
    seed: int
    device: torch.device


def fit(job: Fit, progress: Reporter = QUIET) -> State:
    """Train until the epochs are done or the validation metric has stopped improving.

    Interrupted at any moment, the next call with the same job goes on from the last checkpoint and ends with
    the same bits (on one machine, with one number of threads).

    Returns:
        The final state. The best weights are in the run's `model.safetensors`.

    Raises:
        CorankError: the loss or the validation metric is not a number.
    """
    model, config, run = job.model.to(job.device), job.config, job.run
    optimizer = make_optimizer(model, config.optimizer)
    torch.manual_seed(job.seed)
    state = load_checkpoint(run.checkpoints, model, optimizer) or State()
    run.cut_log(state.step)
    total = job.train.steps() * config.epochs  # may be off by a few: cuts depend on the order
    before, started = state.seconds, time.monotonic()

    def now() -> float:
        return round(before + time.monotonic() - started, 3)

    with progress.task("train", total) as bar:
        bar.advance(state.step)
        while state.epoch < config.epochs and not state.finished:
            epoch = state.epoch
            shuffle = f"{job.seed}/{epoch}"
            steps = job.train.steps(shuffle)
            evaluate_at = {
                -(-steps * i // config.evaluations_per_epoch)
                for i in range(1, config.evaluations_per_epoch + 1)
            }
            model.train()
            for batch, labels in job.train.batches(shuffle, skip=state.step_in_epoch):
                model.set_progress(min(state.step / total, 1.0))
                rate = set_rate(optimizer, config.optimizer, state.step, total)
                batch, labels = batch.to(job.device), labels.to(job.device)
                value = loss(model(batch), batch, labels, config.loss)
                optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(value)
                nn.utils.clip_grad_norm_(model.parameters(), config.optimizer.clip_norm)
                optimizer.step()
                state = state.model_copy(
                    update={"step": state.step + 1, "step_in_epoch": state.step_in_epoch + 1}
                )
                if state.step % config.log_every == 0 or state.step == 1:
                    number = _finite(value.item(), state.step)
                    run.log(
                        {
                            "kind": "step",
                            "step": state.step,
                            "epoch": epoch,
                            "loss": number,
                            "lr": rate,
                            "samples": batch.samples,
                            "seconds": now(),
                        }
                    )
                    bar.advance(0, note=f"loss {number:.4f}")
                bar.advance()
                if state.step_in_epoch in evaluate_at:
                    state = _evaluate(job, state, progress, now())
                    if state.finished:
                        break
                if state.step % config.checkpoint_every == 0 and state.step_in_epoch < steps:
                    save_checkpoint(run.checkpoints, model, optimizer, _timed(state, now()))
            state = state.model_copy(update={"epoch": epoch + 1, "step_in_epoch": 0})
            if state.epoch == config.epochs:
                state = state.model_copy(update={"finished": True})
            save_checkpoint(run.checkpoints, model, optimizer, _timed(state, now()))
    return _timed(state, now()) if state.seconds < now() else state


def _evaluate(job: Fit, state: State, progress: Reporter, seconds: float) -> State:
    """Score the validation split, keep the weights if they are the best so far."""
    metrics = job.validate(score(job.model, job.valid, job.device))
    value = metrics[job.config.metric]
    if not math.isfinite(value):
        raise CorankError(
            f"validation metric {job.config.metric} is not a number at step {state.step}: "
            "the validation split needs both clicked and unclicked samples"
        )
    epoch = state.step / job.train.steps()
    job.run.log(
        {"kind": "valid", "step": state.step, "epoch": round(epoch, 4), **metrics, "seconds": seconds}
    )
    sign = -1 if job.config.metric in LOWER_IS_BETTER else 1
    better = state.best is None or sign * value > sign * state.best
    progress.say(
        f"epoch {epoch:.2f}  "
        + "  ".join(f"{name} {number:.5f}" for name, number in metrics.items())
        + ("  *" if better else "")
    )
    if better:
        save_weights(job.run.weights, job.model)
        return state.model_copy(update={"best": value, "best_step": state.step, "misses": 0})
    misses = state.misses + 1
    return state.model_copy(update={"misses": misses, "finished": misses >= job.config.patience})


def _finite(value: float, step: int) -> float:
    if not math.isfinite(value):
        raise CorankError(f"the loss is {value} at step {step}; lower optimizer.lr or optimizer.clip_norm")
    return value


def _timed(state: State, seconds: float) -> State:
    return state.model_copy(update={"seconds": seconds})
