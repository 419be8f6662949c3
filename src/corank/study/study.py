"""What every study does: prepare, run, measure, write."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from corank.errors import CorankError, unknown
from corank.evaluation.metrics import LOWER_IS_BETTER
from corank.files import alone_in
from corank.progress import QUIET, Reporter
from corank.report.sections import Picture
from corank.study.conditions import Condition, recipes_of
from corank.study.config import Presets, StudyConfig
from corank.study.contrasts import Contrast, contrast, mean_over_seeds, verdict
from corank.study.draws import read_draws
from corank.study.material import Material, claim_folder, prepare
from corank.study.page import write_study_page
from corank.study.result import TESTS, Direction, Found, StudyResult
from corank.study.running import finished, go_on, of_condition
from corank.study.tables import write_tables


@dataclass(frozen=True)
class Study:
    """What is compared, what is claimed of it, and how it is drawn, each as far as a configuration goes.

    Attributes:
        name: on the command line.
        presets: how far it goes; settings of `StudyConfig` by name.
        conditions: what is trained.
        claims: what is judged.
        pictures: what the page shows.
    """

    name: str
    presets: Presets
    conditions: Callable[[StudyConfig], list[Condition]]
    claims: Callable[[StudyConfig], list[Contrast]]
    pictures: Callable[[StudyResult], tuple[Picture, ...]]


def run_study(
    study: Study,
    out: Path,
    preset: str = "default",
    settings: Sequence[str] = (),
    jobs: int = 2,
    minutes: float = math.inf,
    progress: Reporter = QUIET,
) -> StudyResult:
    """Train the conditions of a study alike, as far as the time goes, and write what there is.

    Every condition has the same learning rates to choose from and the same steps. A call goes on after the
    runs that are in `out`, which may be those of a smaller preset on the same log.

    Args:
        study: one of `corank.study.STUDIES`.
        out: the study's folder; made if it is not there. Holds the log, the samples, runs.csv,
            conditions.csv, directions.csv and report.html, the last three of what is done so far.
        preset: `quick` (minutes), `default` (hours) or `full`.
        settings: `key=value` changes to `StudyConfig`.
        jobs: processes at a time, one thread each.
        minutes: no run begins later.
        progress: where to report.

    Raises:
        CorankError: a preset, setting or model does not exist or fit, `out` holds something else or a study
            with another log or training, another process is at work there, or a run that counts diverges.
    """
    if preset not in study.presets:
        raise unknown("preset", preset, study.presets)
    if jobs < 1:
        raise CorankError(f"jobs = {jobs}: expected 1 or more")
    config = StudyConfig.parse(dict(study.presets[preset])).with_settings(settings)
    conditions = of_models(study.conditions(config), config.models)
    claims = [one for one in study.claims(config) if {*one.plus, *one.minus} <= set(conditions)]
    claim_folder(out, study.name, config)
    with alone_in(out):
        material = prepare(out, config, recipes_of(conditions), progress)
        failed: CorankError | None = None
        try:
            complete = go_on(material, conditions, jobs, minutes, progress)
        except CorankError as error:  # once what is done has been written
            complete, failed = False, error
        result = results(study.name, material, conditions, claims, complete)
        write_tables(result)
        write_study_page(result, study.pictures(result))
    if failed:
        raise failed
    return result


def of_models(conditions: Sequence[Condition], models: Sequence[str]) -> list[Condition]:
    """The conditions of some models; all if none is named.

    Raises:
        CorankError: no condition is of one of them.
    """
    known = dict.fromkeys(one.model for one in conditions)
    for model in models:
        if model not in known:
            raise unknown("model", model, known, "the study's models")
    return [one for one in conditions if not models or one.model in models]


def results(
    name: str,
    material: Material,
    conditions: Sequence[Condition],
    claims: Sequence[Contrast],
    complete: bool,
) -> StudyResult:
    """What the runs so far say."""
    rows = finished(material)
    runs = {
        one: [row for row in of_condition(rows, one, material.config) if row.kind == "final"]
        for one in conditions
    }
    measured = mean_over_seeds(
        {
            one.key: [read_draws(material.draws(row.name)) for row in seeds]
            for one, seeds in runs.items()
            if seeds
        }
    )
    found = tuple(
        Found(
            one,
            tuple(seeds),
            {metric: draws.estimate() for metric, draws in measured.get(one.key, {}).items()},
        )
        for one, seeds in runs.items()
    )
    directions = []
    for direction in claims:
        there = all(one.key in measured for one in (*direction.plus, *direction.minus))
        values = {metric: contrast(measured, direction, metric) for metric in TESTS} if there else {}
        # With one seed an interval knows nothing of training again.
        judged = all(len(runs[one]) > 1 for one in (*direction.plus, *direction.minus))
        verdicts = {
            metric: verdict(value, direction.expected, metric.partition(".")[2] in LOWER_IS_BETTER)
            if judged
            else "open"
            for metric, value in values.items()
        }
        directions.append(Direction(direction, values, verdicts))
    return StudyResult(name, material.folder, material.config, complete, found, tuple(directions))
