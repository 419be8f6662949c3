"""What every study does: prepare, run, measure, write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from corank.errors import CorankError, unknown
from corank.evaluation.metrics import LOWER_IS_BETTER
from corank.files import alone_in
from corank.progress import Reporter
from corank.study.conditions import Condition, recipes_of
from corank.study.config import PRESETS, StudyConfig
from corank.study.contrasts import Contrast, contrast, mean_over_seeds, verdict
from corank.study.draws import SEED, read_draws
from corank.study.material import Material, claim, prepare
from corank.study.page import write_study_page
from corank.study.result import TESTS, Direction, Found, StudyResult
from corank.study.running import finished, go_on, of_condition
from corank.study.tables import write_tables


def study(
    name: str,
    out: Path,
    preset: str,
    settings: Sequence[str],
    jobs: int,
    minutes: float,
    progress: Reporter,
    conditions_of: Callable[[StudyConfig], list[Condition]],
    claims_of: Callable[[StudyConfig], list[Contrast]],
) -> StudyResult:
    """Go on with a study as far as the time goes, and write what there is.

    Raises:
        CorankError: as `corank.study.codesign`.
    """
    if preset not in PRESETS:
        raise unknown("preset", preset, PRESETS)
    if jobs < 1:
        raise CorankError(f"jobs = {jobs}: expected 1 or more")
    config = StudyConfig.parse(PRESETS[preset]).with_settings(settings)
    conditions = conditions_of(config)
    claim(out, name, config)
    with alone_in(out):
        material = prepare(out, config, recipes_of(conditions), progress)
        complete = go_on(material, conditions, jobs, minutes, progress)
        result = results(name, material, conditions, claims_of(config), complete)
        write_tables(result)
        write_study_page(result)
    return result


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
        },
        SEED,
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
        verdicts = {
            metric: verdict(value, direction.expected, metric.partition(".")[2] in LOWER_IS_BETTER)
            for metric, value in values.items()
        }
        directions.append(Direction(direction, values, verdicts))
    return StudyResult(name, material.folder, material.config, complete, found, tuple(directions))
