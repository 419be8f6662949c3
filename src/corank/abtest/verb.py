"""`corank abtest`: several seeds put together, with intervals, and what is written of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corank.abtest.contenders import Contender, contenders
from corank.abtest.replay import ARMS, Replay, replay
from corank.errors import CorankError
from corank.evaluation.abtest import ABTest, ArmValues, Setup, compare_arms
from corank.evaluation.intervals import RESAMPLES
from corank.files import refuse_existing, whole_folder, write_json
from corank.logs.marketplace.arrow import stamps
from corank.logs.marketplace.original import Original
from corank.progress import QUIET, Reporter
from corank.report.abtest import write_abtest_page
from corank.training.run import versions


def abtest(
    run_a: Path,
    run_b: Path,
    truth: Path,
    days: int | None = None,
    requests: int | None = None,
    seeds: int = 1,
    draws: int = 1,
    task: str = "click",
    resamples: int = RESAMPLES,
    seed: int = 0,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> ABTest:
    """Simulate an A/B test: re-rank fresh searches with each run, let the simulator's users act, and count.

    Args:
        run_a: the base; a run trained on samples of `truth`.
        run_b: what is tested against it.
        truth: the simulated log that the runs go back to.
        days: simulated after the log's end; a seventh of the log's if None.
        requests: so many searches of those days for each seed, drawn at random; all if None.
        seeds: so many independent courses of those days, numbered from `seed` on.
        draws: times that every request is acted out, beside the exact expectation; may be 0.
        task: the task of both runs whose score orders the candidates.
        resamples: bootstrap resamples of the users.
        seed: the first of the seeds; also that of the resamples.
        out: a folder to write: the result, a row a request, and a page.
        overwrite: replace `out` if it exists.
        progress: where to report.

    Raises:
        CorankError: a run, its samples or the log is not there or does not belong to the others, a number is
            out of range, or `out` exists.
    """
    if out is not None:
        refuse_existing(out, overwrite)
    if truth.name == "truth" and not (truth / "simulation.json").exists():
        truth = truth.parent
    config = Original(truth).config
    days = max(1, config.days // 7) if days is None else days
    _refuse_odd(days, config.days, requests, seeds, draws, resamples, seed)
    runs = contenders((run_a, run_b), truth, task)
    numbers = tuple(range(seed, seed + seeds))
    replays = [replay(runs, truth, days, requests, draws, task, one, progress) for one in numbers]
    user_id = np.concatenate([one.fresh.user_id_R for one in replays])
    users, user = np.unique(user_id, return_inverse=True)
    done = ABTest(
        setup=Setup(
            truth=str(truth),
            runs=tuple(run.facts() for run in runs),
            days=days,
            seeds=numbers,
            requests=len(user),
            users=len(users),
            candidates=sum(len(one.fresh.item_A) for one in replays),
            shown=config.retrieval.exposed,
            task=task,
            draws=draws,
            versions=versions(),
        ),
        arms=compare_arms(user, [_arm(key, runs, replays) for key in ARMS], resamples, seed),
        resamples=resamples,
        seed=seed,
    )
    if out is not None:
        with whole_folder(out, overwrite) as folder:
            write_json(folder / "abtest.json", done.to_json())
            pq.write_table(_rows(numbers, replays), folder / "requests.parquet", compression="zstd")
            write_abtest_page(done, folder / "report.html")
    return done


def _refuse_odd(
    days: int, of_log: int, requests: int | None, seeds: int, draws: int, resamples: int, seed: int
) -> None:
    if not 1 <= days <= of_log:
        raise CorankError(f"days = {days}: expected 1 to {of_log}, the days of the log")
    for name, value, least in (
        ("requests", requests, 1),
        ("seeds", seeds, 1),
        ("draws", draws, 0),
        ("resamples", resamples, 1),
        ("seed", seed, 0),
    ):
        if value is not None and value < least:
            raise CorankError(f"{name} = {value}: expected {least} or more")


def _arm(key: str, runs: tuple[Contender, Contender], replays: list[Replay]) -> ArmValues:
    """An arm's values of the requests of all seeds."""
    names = {
        "A": runs[0].folder.resolve().name,
        "B": runs[1].folder.resolve().name,
        "logging": "the log's own order",
    }
    played = [one.arms[key] for one in replays]
    ways = played[0].values
    return ArmValues(
        key=key,
        name=names.get(key, "by true chance of a purchase"),
        values={
            way: {
                measure: np.concatenate([one.values[way][measure] for one in played]) for measure in ways[way]
            }
            for way in ways
        },
        shared=float(
            sum(one.shared.sum() for one in played) / sum(one.arms[ARMS[0]].shown.sum() for one in replays)
        ),
    )


def _rows(seeds: tuple[int, ...], replays: list[Replay]) -> pa.Table:
    """One row a request, with what each arm brought."""
    tables = []
    for seed, one in zip(seeds, replays, strict=True):
        columns = {
            "seed": pa.array(np.full(one.fresh.requests, seed)),
            "request_id": pa.array(one.fresh.request_id_R),
            "user_id": pa.array(one.fresh.user_id_R),
            "timestamp": stamps(one.fresh.config, one.fresh.hours_R),
        }
        for arm, played in one.arms.items():
            for way, measures in played.values.items():
                columns |= {f"{arm}_{way}_{name}": pa.array(value) for name, value in measures.items()}
        tables.append(pa.table(columns))
    return pa.concat_tables(tables)
