"""Verbs that make runs and judge them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corank.cli.later import demo as whole_path
from corank.cli.later import screen, verbs
from corank.cli.options import Json, Overwrite, QuietFlag, Seed, Settings, Split, print_json
from corank.progress import reporter


def demo(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make.")] = Path("demo"),
    seed: Seed = 0,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Simulate a marketplace, audit it, build samples, train two models, compare them, write a report."""
    done = whole_path.demo(out, seed, overwrite, progress=reporter(quiet))
    if json:
        return print_json(done.to_dict())
    return screen.show(
        screen.findings(done.audit),
        screen.stage_table(done.manifest),
        screen.comparison_table(done.comparison),
        f"Numbers come from a simulated marketplace. Audit: {done.audit_page}  Report: {done.report}",
    )


def train(
    folder: Annotated[Path, typer.Argument(metavar="SAMPLES", help="A folder made by `corank samples`.")],
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder to make.")],
    model: Annotated[str, typer.Option(help="A name listed by `corank models`.")] = "unimixer_lite_s",
    seed: Seed = 0,
    settings: Settings = None,
    features: Annotated[Path | None, typer.Option(help="Feature spec (YAML); default: inferred.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Train a model."""
    done = verbs.train(
        folder, run, model, seed, settings or (), features, resume, overwrite, progress=reporter(quiet)
    )
    if json:
        return print_json(done.model_dump(mode="json"))
    rows = [[name, count] for name, count in done.parameters.items()]
    best = done.best_metric
    return screen.show(
        screen.table(f"{model}: parameters", ["part", "count"], rows),
        f"Best validation {best.name if best else '-'} {best.value if best else 0:.5f}"
        f" at step {done.best_step} of {done.steps}, {done.seconds:.1f} s. Next: corank evaluate {run}",
    )


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder made by `corank train`.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="SAMPLES", help="Default: the samples it was trained on.")
    ] = None,
    split: Split = "test",
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.", min=1)] = 1000,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Measure a run on a split, with intervals."""
    done = verbs.evaluate(run, folder, split, resamples, seed, overwrite, progress=reporter(quiet))
    if json:
        return print_json(done.to_json())
    return screen.show(*screen.evaluation_tables(done, f"{run}: {split} (± half of the 95 % interval)"))


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder made by `corank train`.")],
    folder: Annotated[Path, typer.Argument(metavar="SAMPLES", help="A folder made by `corank samples`.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Parquet file to make.")],
    split: Split = "test",
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Score every sample of a split."""
    path = verbs.predict(run, folder, out, split, overwrite, progress=reporter(quiet))
    if json:
        return print_json({"path": str(path)})
    return screen.show(f"Predictions: {path}")


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Run folders; seeds of one model are taken together."),
    ],
    split: Split = "test",
    space: Annotated[str, typer.Option(help="exposed, unexposed, entire or all_channels.")] = "exposed",
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.", min=1)] = 1000,
    seed: Seed = 0,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Paired differences of evaluated runs to the first, with intervals."""
    done = verbs.compare(runs, split, space, resamples, seed, progress=reporter(quiet))
    if json:
        return print_json(done.to_json())
    return screen.show(screen.comparison_table(done))


def abtest(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="The base: a run on a simulated log.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="The run tested against it.")],
    truth: Annotated[Path, typer.Option(metavar="LOGS", help="The simulated log that both runs go back to.")],
    days: Annotated[
        int | None, typer.Option(help="Days after the log's end; default: a seventh of the log's.", min=1)
    ] = None,
    requests: Annotated[
        int | None, typer.Option(help="Searches of those days, for each seed; default: all.", min=1)
    ] = None,
    seeds: Annotated[int, typer.Option(help="Independent courses of those days.", min=1)] = 1,
    draws: Annotated[
        int, typer.Option(help="Times every request is acted out, beside the expectation.", min=0)
    ] = 1,
    task: Annotated[
        str, typer.Option(help="Whose score orders the candidates: click or purchase.")
    ] = "click",
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples of the users.", min=1)] = 1000,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the result, a row a request, and a page.")
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Simulate an A/B test: the simulator's users act on fresh searches that each run has re-ranked."""
    done = verbs.abtest(
        run_a,
        run_b,
        truth,
        days,
        requests,
        seeds,
        draws,
        task,
        resamples,
        seed,
        out,
        overwrite,
        progress=reporter(quiet),
    )
    if json:
        return print_json(done.to_json())
    page = f"Page: {out / 'report.html'}" if out else "A page with a plot: --out FOLDER"
    return screen.show(*screen.abtest_parts(done), page)
