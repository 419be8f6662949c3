"""The studies of samples and model together, on a simulated marketplace, and the A/B test of their ends.

Run: python benchmarks/codesign.py [--study codesign|widths] [--preset quick|default|full] [--work FOLDER]
     [--set K=V] [--results NAME] [--jobs 2] [--minutes 60] [--abtest [SIZE]]
Goes on with the study in the work folder as far as the time goes; copies its runs, conditions, directions and
draws to results/codesign_runs.csv, codesign.csv, codesign_directions.csv and codesign_draws/ (or widths_...,
or what `--results` names: a variation's do not stand in the place of the study's; one in models alone has
tables of its own, and its runs and draws stand beside the study's). A work folder takes over the runs that
are in results/ and not in it, so that a study can go on on another machine: all but the weights.

A call that goes less far than the tables in results/ did (fewer conditions, rates or seeds) is refused.

With `--abtest`, RankMixer on both recipes and HHSFT on every one re-rank searches of the days after the log,
the same for all runs of a seed: results/codesign_abtest.csv (or NAME_abtest.csv), for each step from
RankMixer trained on exposed samples to HHSFT trained on es3 a row a seed and measure, and their mean with
Student's interval over the seeds. It is of the size named, the largest if none is; rows of other sizes stay.
"""

from __future__ import annotations

import argparse
import csv
import math
import shlex
import shutil
import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from scipy.stats import t as student

from corank import verbs
from corank.errors import CorankError
from corank.evaluation.abtest import Effect
from corank.files import alone_in, read_json, write_csv
from corank.progress import Lines
from corank.study import STUDIES, run_study
from corank.study.conditions import STAGES, Condition
from corank.study.config import StudyConfig
from corank.study.material import Material
from corank.study.result import Found, StudyResult
from corank.study.rows import Row, read_rows, write_rows
from corank.study.work import Job, train
from corank.training.run import Run, versions

RESULTS = Path(__file__).parent.parent / "results"
WORK = Path(__file__).parent.parent / "work"
TABLES = {"conditions": "", "directions": "_directions"}
SETTINGS = "_study.json"
"""How the name of the file of a study's settings ends in results/."""
End = tuple[str, str]
"""A model and what it is trained on."""
BASE, NEW = ("rankmixer", "exposed"), ("hhsft", "es3")
REPLAYED: tuple[tuple[End, End], ...] = (
    (BASE, NEW),
    (("rankmixer", "es3"), ("hhsft", "exposed")),
    (("hhsft", "unexposed"), ("hhsft", "attributed")),
)
"""Each run once; two at a time re-rank the searches of a seed."""
STEPS: tuple[tuple[End, End], ...] = (
    (BASE, NEW),
    (BASE, ("rankmixer", "es3")),
    (BASE, ("hhsft", "exposed")),
    (("hhsft", "exposed"), NEW),
    (("rankmixer", "es3"), NEW),
    *pairwise(("hhsft", recipe) for recipe in STAGES),
)
"""What is told: the ends, the four halves of the way, samples or model, and the stages of es3."""
LARGEST = "largest"
DAYS = 4
"""After the log's end: two sevenths of it."""


def main() -> None:
    """Go on, copy, test."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--study", choices=list(STUDIES), default="codesign")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--work", type=Path, help="the study's folder; work/NAME, NAME that of its runs")
    parser.add_argument("--set", action="append", default=[], help="a change to the study's settings")
    parser.add_argument("--results", help="how names of files in results/ begin; the study's if not given")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no run after so long")
    parser.add_argument("--abtest", nargs="?", const=LARGEST, metavar="SIZE")
    args = parser.parse_args()
    presets, name = STUDIES[args.study].presets, args.results or args.study
    if args.preset not in presets:
        parser.error(f"no preset '{args.preset}'; there are {', '.join(presets)}")
    config = StudyConfig.parse(dict(presets[args.preset])).with_settings(args.set)
    usual = StudyConfig.parse(dict(presets["default"]))
    if args.results is None and (config.models or config.shared() != usual.shared()):
        parser.error("other models, log, samples or training: name the files of a variation by --results")
    of_runs = args.study if config.shared() == usual.shared() else name
    folder = args.work or WORK / of_runs
    kept = RESULTS / f"{of_runs}{SETTINGS}"
    if kept.exists() and read_json(kept) != {"study": STUDIES[args.study].name, **config.shared()}:
        parser.error(f"{kept}: of other settings; name the files of these by --results")
    ends = {model for model, _ in (BASE, NEW)}
    if args.abtest and (args.study != "codesign" or (config.models and not ends <= set(config.models))):
        parser.error(f"--abtest is of codesign with the models {', '.join(sorted(ends))}")
    if args.abtest and args.abtest not in (LARGEST, *config.sizes):
        parser.error(f"--abtest {args.abtest}: the sizes are {', '.join(config.sizes)}")
    if narrower := less_than(RESULTS / f"{name}.csv", STUDIES[args.study].conditions(config), config):
        parser.error(
            f"{RESULTS / name}.csv goes further than this call: {narrower}; give --preset full, or --set"
        )

    def go_on(minutes: float) -> StudyResult:
        try:
            return run_study(
                STUDIES[args.study], folder, args.preset, args.set, args.jobs, minutes, progress=Lines(60)
            )
        except CorankError as error:
            parser.error(str(error))

    take_over(go_on(0), of_runs)
    result = go_on(args.minutes)
    for table, end in TABLES.items():
        shutil.copy(folder / f"{table}.csv", RESULTS / f"{name}{end}.csv")
    keep(read_rows(folder / "runs.csv"), RESULTS / f"{of_runs}_runs.csv")
    shutil.copy(folder / "study.json", kept)
    if (draws := folder / "draws").exists():
        shutil.copytree(draws, RESULTS / f"{of_runs}_draws", dirs_exist_ok=True)
    if args.abtest:
        path = RESULTS / f"{name}_abtest.csv"
        size = config.sizes[-1] if args.abtest == LARGEST else args.abtest
        write_csv(path, beside(path, abtest(result, size, command_of(args))))


def less_than(table: Path, conditions: Sequence[Condition], config: StudyConfig) -> str:
    """What a table of conditions has and a call does not ask for."""
    rows = rows_of(table)
    asked = {
        (one.model, one.size, one.recipe, one.budget)
        for one in conditions
        if not config.models or one.model in config.models
    }
    left = [
        key for row in rows if (key := (row["model"], row["size"], row["recipe"], row["budget"])) not in asked
    ]
    rates = {row["rate"] for row in rows} - {str(rate) for rate in config.rates}
    seeds = max((int(row["seeds"]) for row in rows), default=0)
    found = [f"{len(left)} conditions, {'_'.join(left[0])} the first"] if left else []
    found += [f"the rate {rate}" for rate in sorted(rates)]
    return ", ".join([*found, *([f"{seeds} seeds"] if seeds > config.seeds else [])])


def rows_of(table: Path) -> list[dict[str, str]]:
    """Of a CSV; none where it is not there."""
    if not table.exists():
        return []
    with table.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def take_over(result: StudyResult, name: str) -> None:
    """Put the runs of `results/` that a work folder does not have into it, if they are of its conditions.

    Raises:
        SystemExit: they were made with other samples.
    """
    kept = RESULTS / f"{name}_runs.csv"
    material = Material(result.folder, result.config)
    recipes = {one.condition.key: one.condition.recipe for one in result.conditions}
    rows = [row for row in read_rows(kept) if row.condition in recipes]
    for row in rows:
        if row.samples != material.manifest(recipes[row.condition]).fingerprint:
            raise SystemExit(
                f"{kept}: {row.name} is of other samples than those of {result.folder}; name others by"
                " --results"
            )
    with alone_in(result.folder):
        copy_over(rows, name, material)


def copy_over(rows: Sequence[Row], name: str, material: Material) -> None:
    """Rows and, where they are missing, draws of `results/` into a work folder."""
    for row in rows:
        draws = RESULTS / f"{name}_draws" / f"{row.name}.parquet"
        if draws.exists() and not material.draws(row.name).exists():
            material.draws(row.name).parent.mkdir(exist_ok=True)
            shutil.copy(draws, material.draws(row.name))
    keep(rows, material.rows, over=False)


def keep(rows: Sequence[Row], path: Path, over: bool = True) -> None:
    """Add rows to those of a file; of a run that is in both the new row stands if `over`, else the file's."""
    there = {row.identity: row for row in read_rows(path)}
    new = {row.identity: row for row in rows}
    if found := there | new if over else new | there:
        write_rows(path, list(found.values()))


def command_of(args: argparse.Namespace) -> str:
    """What makes the A/B test's table."""
    words = [] if args.results is None else ["--results", args.results]
    words += [] if args.preset == "default" else ["--preset", args.preset]
    words += [word for setting in args.set for word in ("--set", setting)]
    words += ["--abtest"] if args.abtest == LARGEST else ["--abtest", args.abtest]
    return shlex.join(["python", "benchmarks/codesign.py", *words])


def abtest(result: StudyResult, size: str, command: str) -> list[dict[str, Any]]:
    """What users buy from the second run of each step over the first: a seed after another, and the mean."""
    found: dict[End, Found] = {
        (one.condition.model, one.condition.recipe): one
        for one in result.conditions
        if (one.condition.size, one.condition.budget) == (size, "steps")
    }
    ends = list(dict.fromkeys(end for pair in REPLAYED for end in pair))
    if "steps" not in result.config.budgets:
        raise SystemExit("the A/B test is of runs under equal steps; ask for the budget steps")
    runs = {end: {row.seed: row for row in found[end].runs} for end in ends}
    seeds = sorted(set.intersection(*(set(of_end) for of_end in runs.values())))
    if not seeds:
        raise SystemExit(f"no seed of all ends is trained at size {size}; go on with the study first")
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        with alone_in(result.folder):
            folders = {end: trained(result, found[end].condition, runs[end][seed]) for end in ends}
        rows += of_seed(seed, folders, result.folder / "logs")
    facts = {
        "size": size,
        "days": DAYS,
        "task": "click",
        "simulated": True,
        "command": command,
        "versions": " ".join(f"{name} {versions()[name]}" for name in ("corank", "python", "torch")),
    }
    kinds = dict.fromkeys((row["run_a"], row["run_b"], row["measure"]) for row in rows)
    return [{**row, **facts} for row in (*rows, *(mean(rows, *kind) for kind in kinds))]


def beside(path: Path, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows of one size, after those that a file has of others."""
    sizes = {row["size"] for row in rows}
    return [*(row for row in rows_of(path) if row["size"] not in sizes), *rows]


def of_seed(seed: int, folders: Mapping[End, Path], logs: Path) -> list[dict[str, Any]]:
    """All steps on the fresh days of one seed; intervals over users where both were replayed together."""
    values: dict[End, dict[str, float]] = {}
    effects: dict[tuple[End, End], dict[str, Effect]] = {}
    searches = set()
    for pair in REPLAYED:
        made = verbs.abtest(folders[pair[0]], folders[pair[1]], logs, DAYS, seed=seed, draws=0)
        for end, arm in zip(pair, made.arms, strict=False):
            values[end] = {name: one.value or math.nan for name, one in arm.values["expected"].items()}
        effects[pair] = made.arms[1].effects["expected"]
        searches.add(made.setup.requests)
    (number,) = searches  # the same days for all
    return [
        {
            "run_a": told(a),
            "run_b": told(b),
            "seed": seed,
            "measure": measure,
            "a": values[a][measure],
            "b": values[b][measure],
            "percent": 100 * (values[b][measure] / values[a][measure] - 1),
            "low": effect.relative.low if effect else None,
            "high": effect.relative.high if effect else None,
            "interval_over": "users" if effect else None,
            "searches": number,
        }
        for a, b in STEPS
        for measure in values[a]
        for effect in [effects.get((a, b), {}).get(measure)]
    ]


def told(end: End) -> str:
    """In words."""
    return f"{end[0]}, {end[1]}"


def trained(result: StudyResult, condition: Condition, row: Row) -> Path:
    """The folder of a run; trained where only its row was taken over, and to the end where that was begun."""
    material = Material(result.folder, result.config)
    run = Run(material.run(row.name))
    if not run.folder.exists() or run.info().steps is None:
        train(Job(condition, row.kind, row.rate, row.seed), material)
    return material.run(row.name)


def mean(rows: Sequence[Mapping[str, Any]], run_a: str, run_b: str, measure: str) -> dict[str, Any]:
    """Over the seeds, with Student's 95 % interval."""
    kind = {"run_a": run_a, "run_b": run_b, "seed": "mean", "measure": measure}
    own = [row for row in rows if (row["run_a"], row["run_b"], row["measure"]) == (run_a, run_b, measure)]
    values = [row["percent"] for row in own]
    middle = statistics.mean(values)
    half = math.nan
    if len(values) > 1:
        half = float(student.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / len(values) ** 0.5
    return kind | {
        "a": statistics.mean(row["a"] for row in own),
        "b": statistics.mean(row["b"] for row in own),
        "percent": middle,
        "low": middle - half,
        "high": middle + half,
        "interval_over": "seeds of training, days",
        "searches": sum(row["searches"] for row in own),
    }


if __name__ == "__main__":
    main()
