"""One seed: the days after the log, each arm's order of their searches' candidates, and what it brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from corank.abtest.contenders import Contender
from corank.abtest.fresh_samples import fresh_samples
from corank.evaluation.arrays import Floats, Ints
from corank.features.reader import Reader
from corank.features.store import Store
from corank.logs.marketplace.acting import Outcome, acted, draw_luck, expected, positions, worth
from corank.logs.marketplace.fresh import Fresh
from corank.progress import Reporter
from corank.training.predict import device_of, score
from corank.training.predictions import predictions_table

ARMS = ("A", "B", "logging", "oracle")
_ACTING = 0xAC
"""Tells the seed of what users do from other seeds."""


@dataclass(frozen=True)
class Played:
    """What one arm's order brought, of each request.

    Attributes:
        values: by way and measure.
        shown: items shown.
        shared: items shown that the first arm shows, too.
    """

    values: dict[str, dict[str, Floats]]
    shown: Ints
    shared: Ints


@dataclass(frozen=True)
class Replay:
    """Fresh requests, and what each arm brought."""

    fresh: Fresh
    arms: dict[str, Played]


def replay(
    runs: Sequence[Contender],
    truth: Path,
    days: int,
    requests: int | None,
    draws: int,
    task: str,
    seed: int,
    progress: Reporter,
) -> Replay:
    """Simulate on with a seed, re-rank the searches of those days with both runs, and let users act.

    Raises:
        CorankError: the log cannot be simulated on, or there are fewer than `requests` requests.
    """
    with TemporaryDirectory(prefix="corank-abtest-") as scratch:
        store = Path(scratch) / "samples"
        fresh = fresh_samples(truth, store, runs[0].manifest, days, requests, seed, progress)
        scores = [_scores(run, store, fresh, task, progress) for run in runs]
    return play(fresh, scores, draws, seed, progress)


def play(
    fresh: Fresh, scores: Sequence[npt.NDArray[np.floating]], draws: int, seed: int, progress: Reporter
) -> Replay:
    """Let users act on four orders of the candidates: by A's and B's scores, the site's, the oracle's."""
    rng = np.random.default_rng([_ACTING, seed])
    ties = rng.random(len(fresh.item_A))
    orders = [*(positions(fresh, score_A, ties) for score_A in scores)]
    orders += [fresh.position_A, positions(fresh, worth(fresh), ties)]
    acts: list[list[Outcome]] = [[] for _ in orders]
    with progress.task("users act", draws + 1) as task:
        means = [expected(fresh, position_A) for position_A in orders]
        task.advance()
        for _ in range(draws):
            luck = draw_luck(fresh, rng)  # one for all arms, so that only their orders tell them apart
            for own, position_A in zip(acts, orders, strict=True):
                own.append(acted(fresh, position_A, luck))
            task.advance()
    arms = {}
    for arm, position_A, mean, own in zip(ARMS, orders, means, acts, strict=True):
        values = {"expected": _measures([mean])} | ({"drawn": _measures(own)} if draws else {})
        both_A = (position_A > 0) & (orders[0] > 0)
        arms[arm] = Played(values, _by_request(fresh, position_A > 0), _by_request(fresh, both_A))
    return Replay(fresh, arms)


def _scores(
    run: Contender, store: Path, fresh: Fresh, task: str, progress: Reporter
) -> npt.NDArray[np.float32]:
    """A run's score of every fresh candidate."""
    device = device_of(run.config)
    reader = Reader(store, run.features, "test", run.config.reader)
    scores = score(run.model.to(device), reader, device, progress)
    rows = predictions_table(Store(store), "test", run.features, scores)
    theirs = np.lexsort((rows["item_id"].to_numpy(), rows["request_id"].to_numpy()))
    request_id_A = fresh.request_id_R[fresh.request_A]
    ours = np.lexsort((fresh.item_A, request_id_A))
    assert np.array_equal(rows["request_id"].to_numpy()[theirs], request_id_A[ours]), "requests differ"
    assert np.array_equal(rows["item_id"].to_numpy()[theirs], fresh.item_A[ours]), "candidates differ"
    score_A = np.empty(len(ours), dtype=np.float32)
    score_A[ours] = scores.scores[task][theirs]
    return score_A


def _measures(outcomes: Sequence[Outcome]) -> dict[str, Floats]:
    """Each measure of each request, on average over several outcomes."""
    return {
        "clicks": np.mean([one.clicks_R for one in outcomes], axis=0),
        "purchases": np.mean([one.purchases_R for one in outcomes], axis=0),
        "money": np.mean([one.money_R for one in outcomes], axis=0),
    }


def _by_request(fresh: Fresh, flags_A: npt.NDArray[np.bool_]) -> Ints:
    return np.add.reduceat(flags_A, fresh.begin_R[:-1], dtype=np.int64)
