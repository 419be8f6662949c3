"""The training loop: steps, evaluations, early stopping, checkpoints that resume to the same bits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from corank.errors import CorankError, Diverged
from corank.features.batch import Batch, Labels
from corank.features.reader import Reader
from corank.models.base import RankingModel
from corank.progress import QUIET, Reporter
from corank.training.checkpoint import State, load_checkpoint, save_checkpoint, save_weights
from corank.training.config import LOWER_IS_BETTER, TrainConfig
from corank.training.objective import Objective
from corank.training.optimizer import make_optimizer, set_rate
from corank.training.predict import Scores, score
from corank.training.run import Run
from corank.training.snapshots import Album

UNSCALED = 0.01
"""A row of a doubly stochastic matrix that misses a sum of 1 by more than this is told."""

Validate = Callable[[Scores], dict[str, float]]


@dataclass(frozen=True)
class Fit:
    """What `fit` needs: a model, its data, and how to judge it.

    Attributes:
        run: the folder to fill; checkpoints in it are resumed from.
        model: with initial weights.
        objective: what is minimised, of this model.
        train, valid: readers of the two splits.
        validate: metrics of the validation split's scores, by name; `config.metric` must be among them.
        config: how to train.
        seed: decides the order of samples and dropout (and, before, the initial weights).
        device: where the model runs.
    """

    run: Run
    model: RankingModel
    objective: Objective
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
        Diverged: the loss or a score is not a number.
        CorankError: the validation metric is not.
    """
    config, run = job.config, job.run
    job.model.to(job.device)
    job.objective.to(job.device)
    of_loss = list(job.objective.parameters())
    optimizer = make_optimizer(job.model, config.optimizer, of_loss, config.loss.position.lr)
    torch.manual_seed(job.seed)
    state = load_checkpoint(run.checkpoints, job.model, job.objective, optimizer) or State()
    run.cut_log(state.step)
    # May be off by a few: where batches are cut depends on the order.
    total = _part(job.train.steps(), config.epochs)
    album = Album(run.snapshots, job.model, config.snapshots)
    album.cut(state.step)
    moments = config.snapshots.steps(total)
    begun = time.monotonic() - state.seconds

    with progress.task("train", total) as bar:
        bar.advance(state.step)
        while not state.finished:
            shuffle = f"{job.seed}/{state.epoch}"
            steps = job.train.steps(shuffle)
            last = _part(steps, min(config.epochs - state.epoch, 1))
            evaluate_at = {at for at in _evenly(steps, config.evaluations_per_epoch) if at < last} | {last}
            for batch, labels in job.train.batches(shuffle, skip=state.step_in_epoch):
                rate = set_rate(optimizer, config.optimizer, state.step, total)
                job.model.set_progress(min(state.step / total, 1.0))
                if state.step in moments:
                    album.take(state.step)
                value, extra = _step(job, optimizer, batch.to(job.device), labels.to(job.device))
                state = state.advanced(time.monotonic() - begun)
                bar.advance()
                if state.step % config.log_every == 0:
                    number = _finite(value.item(), state.step)
                    run.log(
                        {
                            "kind": "step",
                            "step": state.step,
                            "epoch": state.epoch,
                            "loss": number,
                            **_auxiliary(extra, state.step),
                            "lr": rate,
                            "samples": batch.samples,
                            "seconds": round(state.seconds, 3),
                        }
                    )
                    bar.advance(0, note=f"loss {number:.4f}")
                if state.step_in_epoch in evaluate_at:
                    state = _evaluate(job, state, steps, progress)
                if state.finished or state.step_in_epoch == last:
                    break
                if state.step % config.checkpoint_every == 0:
                    save_checkpoint(run.checkpoints, job.model, job.objective, optimizer, state)
            state = state.next_epoch(config.epochs)
            save_checkpoint(run.checkpoints, job.model, job.objective, optimizer, state)
    album.take(state.step)
    return state


def _step(
    job: Fit, optimizer: torch.optim.Optimizer, batch: Batch, labels: Labels
) -> tuple[Tensor, dict[str, Tensor]]:
    """One optimizer step; returns the loss of the logits, and the terms that the model added to it."""
    job.model.train()
    judge = partial(job.objective, batch=batch, labels=labels)
    value = judge(job.model(batch))
    extra = job.model.auxiliary_losses(judge)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(sum(extra.values(), value))
    trained = [*job.model.parameters(), *job.objective.parameters()]
    nn.utils.clip_grad_norm_(trained, job.config.optimizer.clip_norm)
    optimizer.step()
    return value.detach(), {name: term.detach() for name, term in extra.items()}


def _auxiliary(extra: dict[str, Tensor], step: int) -> dict[str, dict[str, float]]:
    """The terms beside the loss, as logged; nothing for a model without any."""
    return {"auxiliary": {k: _finite(v.item(), step) for k, v in extra.items()}} if extra else {}


def _evaluate(job: Fit, state: State, steps: int, progress: Reporter) -> State:
    """Score the validation split; keep the weights if they are the best so far."""
    scores = score(job.model, job.valid, job.device)
    if not all(np.isfinite(values).all() for values in scores.scores.values()):
        raise Diverged(
            f"the scores of the validation split are not all numbers at step {state.step};"
            " lower optimizer.lr or optimizer.clip_norm"
        )
    metrics = job.validate(scores)
    value = metrics[job.config.metric]
    if not math.isfinite(value):
        raise CorankError(
            f"validation metric {job.config.metric} is not a number at step {state.step}: "
            "the validation split needs samples with its label and samples without"
        )
    epoch = state.epoch + state.step_in_epoch / steps
    mixing = job.model.mixing_state()
    if mixing.get("row_error", 0.0) > UNSCALED:
        progress.say(f"rows of a mixing matrix miss a sum of 1 by {mixing['row_error']:.3f}")
    job.run.log(
        {
            "kind": "valid",
            "step": state.step,
            "epoch": round(epoch, 4),
            **metrics,
            **({"mixing": mixing} if mixing else {}),
            "seconds": round(state.seconds, 3),
        }
    )
    sign = -1 if job.config.metric in LOWER_IS_BETTER else 1
    better = state.best is None or sign * value > sign * state.best
    numbers = "  ".join(f"{name} {number:.5f}" for name, number in metrics.items())
    progress.say(f"epoch {epoch:.2f}  {numbers}" + ("  *" if better else ""))
    if better:
        save_weights(job.run.weights, job.model)
        if job.objective.state_dict():
            save_weights(job.run.objective_weights, job.objective)
    return state.judged(value, better, job.config.patience)


def _part(steps: int, epochs: float) -> int:
    """Steps of so many epochs of so many steps each; at least one."""
    return max(1, round(steps * epochs))


def _evenly(steps: int, parts: int) -> set[int]:
    """Steps of an epoch after which to evaluate: the last, and others evenly before it.

    >>> sorted(_evenly(10, 3))
    [4, 7, 10]
    """
    return {-(-steps * part // parts) for part in range(1, parts + 1)}


def _finite(value: float, step: int) -> float:
    if not math.isfinite(value):
        raise Diverged(f"the loss is {value} at step {step}; lower optimizer.lr or optimizer.clip_norm")
    return value
