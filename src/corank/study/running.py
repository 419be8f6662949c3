"""All runs of a study in turn, several processes at a time; what is done is never done again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool

from corank.errors import CorankError, Diverged
from corank.progress import Reporter
from corank.study.conditions import Condition
from corank.study.config import StudyConfig
from corank.study.material import Material
from corank.study.processes import processes, uninterrupted
from corank.study.rows import Row, read_rows, write_rows
from corank.study.work import TRIAL_SEED, Job, carry_out


def go_on(
    material: Material, conditions: Sequence[Condition], jobs: int, minutes: float, progress: Reporter
) -> bool:
    """Do the runs that have no row yet, beginning none after so many minutes.

    Every condition tries the same learning rates with one seed; the rate that is best on validation is
    trained with the seeds that count. First all trials, then a seed after another of all conditions.

    Returns:
        whether all is done.

    Raises:
        Diverged: runs that count did; all others are done.
        CorankError: a run cannot be done; those begun before are finished and keep their rows.
    """
    until = time.monotonic() + 60 * minutes
    config, rows = material.config, finished(material)
    running: dict[Future[Row], Job] = {}
    failed: CorankError | None = None
    diverged: dict[object, Diverged] = {}
    clear(material, rows)
    with (
        progress.task("runs", len(conditions) * (len(config.rates) + config.seeds)) as bar,
        processes(jobs) as pool,
    ):
        bar.advance(sum(len(of_condition(rows, one, config)) for one in conditions))
        while True:
            begun = {job.identity for job in running.values()} | diverged.keys()
            for job in waiting(rows, conditions, config, begun):
                if failed or len(running) >= jobs or time.monotonic() >= until:
                    break
                with uninterrupted():  # processes begin in it
                    running[pool.submit(carry_out, job, material)] = job
            if not running:
                if failed or diverged:
                    raise failed or next(iter(diverged.values()))
                return not any(waiting(rows, conditions, config, set()))
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                job = running.pop(done)
                try:
                    rows = [*rows, done.result()]
                except BrokenProcessPool:
                    raise CorankError(
                        f"{job.name}: its process was killed; is there memory enough?"
                    ) from None
                except Diverged as error:
                    diverged[job.identity] = error
                    continue
                except CorankError as error:
                    failed = failed or error  # once the others are done
                    continue
                write_rows(material.rows, rows)
                clear(material, rows[-1:])
                bar.advance(note=job.name)


def finished(material: Material) -> list[Row]:
    """The rows of runs that need not be done again: a run that counts must have left its measures, too."""
    rows = read_rows(material.rows)
    return [row for row in rows if row.kind == "trial" or material.draws(row.name).is_file()]


def clear(material: Material, rows: Sequence[Row]) -> None:
    """Remove the folders of trials that have their row."""
    for row in rows:
        if row.kind == "trial" and material.run(row.name).exists():
            shutil.rmtree(material.run(row.name))


def waiting(
    rows: Sequence[Row], conditions: Sequence[Condition], config: StudyConfig, begun: Collection[object]
) -> Iterator[Job]:
    """What may begin, in the order of running: trials first; a condition's seeds wait for its trials."""
    known = {row.identity for row in rows} | set(begun)
    seeds = range(TRIAL_SEED + 1, TRIAL_SEED + 1 + config.seeds)
    trials = [Job(one, "trial", rate, TRIAL_SEED) for one in conditions for rate in config.rates]
    finals = [
        Job(one, "final", rate, seed)
        for seed in seeds
        for one in conditions
        if (rate := chosen(rows, one, config)) is not None
    ]
    yield from (job for job in (*trials, *finals) if job.identity not in known)


def chosen(rows: Sequence[Row], condition: Condition, config: StudyConfig) -> float | None:
    """The rate with the best validation GAUC, once all have been tried; the first of several that are."""
    tried = {row.rate: row for row in rows if (row.condition, row.kind) == (condition.key, "trial")}
    if not all(rate in tried for rate in config.rates):
        return None
    return max(config.rates, key=lambda rate: -1.0 if (v := tried[rate].valid) is None else v)


def of_condition(rows: Sequence[Row], condition: Condition, config: StudyConfig) -> list[Row]:
    """The rows of a condition that count for a study that goes so far: trials, then seeds in their order."""
    mine = [row for row in rows if row.condition == condition.key]
    trials = [row for row in mine if row.kind == "trial" and row.rate in config.rates]
    rate = chosen(rows, condition, config)
    finals = [row for row in mine if row.kind == "final" and row.rate == rate and row.seed <= config.seeds]
    return [*trials, *sorted(finals, key=lambda row: row.seed)]
