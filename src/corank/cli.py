"""The command line: one verb a function, each a thin call of its twin in `corank.verbs`."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from corank import __version__, screen, verbs
from corank import demo as whole_path
from corank.errors import CorankError
from corank.logs import SOURCES
from corank.models.registry import list_models
from corank.progress import reporter

P = ParamSpec("P")

app = typer.Typer(
    help="Search and recommendation ranking: raw logs in, audited samples, trained model, evidence out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
logs = typer.Typer(help="What happened: simulate, import and check logs.", no_args_is_help=True)
app.add_typer(logs, name="logs")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")]
QuietFlag = Annotated[bool, typer.Option("--quiet", help="No progress.")]
Seed = Annotated[int, typer.Option(help="Decides every random choice.", min=0)]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=C", help="Change a setting; may be repeated.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]
Split = Annotated[str, typer.Option(help="train, valid or test.")]


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence and status 2."""
    app()


def _verb(function: Callable[P, None]) -> Callable[P, None]:
    """A user's mistake ends in one sentence and status 2, an interrupt in status 130."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except CorankError as error:
            print("corank:", " ".join(str(error).splitlines()), file=sys.stderr)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            print("corank: interrupted; nothing finished is lost", file=sys.stderr)
            raise typer.Exit(130) from None

    return run


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def _version(wanted: bool) -> None:
    if wanted:
        print(f"corank {__version__}")
        raise typer.Exit


@app.callback()
def _app(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


@app.command()
@_verb
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
        return _print_json(done.to_dict())
    return screen.show(
        screen.findings(done.audit),
        screen.stage_table(done.manifest),
        screen.comparison_table(done.comparison),
        f"Numbers come from a simulated marketplace. Audit: {done.audit_page}  Report: {done.report}",
    )


@logs.command("simulate")
@_verb
def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make.")],
    size: Annotated[
        str, typer.Option(help="s, m or l: about 20 thousand, 200 thousand, 2 million searches.")
    ] = "s",
    preset: Annotated[str, typer.Option(help="market or boutique.")] = "market",
    seed: Seed = 0,
    settings: Settings = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Make the logs of a marketplace with known truth."""
    made = verbs.simulate(out, size, preset, seed, settings or (), overwrite, progress=reporter(quiet))
    if json:
        return _print_json(made.to_dict())
    rows = [[name, count] for name, count in made.rows.items()]
    events = [[name, count] for name, count in made.events.items()]
    return screen.show(
        screen.table(f"{out} in {made.seconds:.1f} s", ["table", "rows"], rows),
        screen.table("Events", ["domain and action", "events"], events),
    )


@logs.command("import")
@_verb
def import_logs(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"The data set: {', '.join(SOURCES)}.")],
    src: Annotated[Path, typer.Argument(metavar="SRC", help="Its file or folder.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make.")],
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Turn a public data set into log tables; rows it cannot use are counted by reason."""
    made = verbs.import_logs(source, src, out, overwrite, progress=reporter(quiet))
    if json:
        return _print_json(made.to_dict())
    unusable = [[reason, found.count, found.meaning] for reason, found in made.unusable.items()]
    return screen.show(
        screen.table(f"{made.title}: {out}", ["table", "rows"], made.rows.items()),
        screen.table("Read", ["rows of the source", "count"], made.read.items()),
        screen.table("Not used as such", ["reason", "count", "meaning"], unusable),
    )


@logs.command("check")
@_verb
def check(
    folder: Annotated[Path, typer.Argument(metavar="LOGS", help="A folder of log tables.")],
    out: Annotated[Path | None, typer.Option(help="Write a copy without the rows dropped.")] = None,
    drop: Annotated[str, typer.Option(help="Rules whose broken rows to drop, comma-separated, or all.")] = "",
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Report every broken rule; exit with status 2 if an error remains."""
    names = tuple(name.strip() for name in drop.split(",") if name.strip())
    found = verbs.check(folder, out=out, drop=names, overwrite=overwrite, progress=reporter(quiet))
    if json:
        _print_json(found.to_dict())
    else:
        screen.show(*screen.check_parts(found))
    found.raise_if_broken()


@app.command()
@_verb
def audit(
    folder: Annotated[Path, typer.Argument(metavar="LOGS|SAMPLES", help="Log tables, or samples.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a page with plots.")] = None,
    settings: Settings = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Tell what biases logs or samples, what they miss and what changes, before anyone trains."""
    found = verbs.audit(folder, out, settings or (), overwrite, progress=reporter(quiet))
    if json:
        return _print_json(found.to_dict())
    page = f"Page: {out}" if out else f"A page with plots: corank audit {folder} --out audit.html"
    return screen.show(*screen.audit_parts(found), page)


@app.command()
@_verb
def samples(
    folder: Annotated[Path, typer.Argument(metavar="LOGS", help="A folder of log tables.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make.")],
    recipe: Annotated[
        str, typer.Option(help="How far to go: exposed, unexposed, attributed or es3.")
    ] = "unexposed",
    seed: Seed = 0,
    settings: Settings = None,
    engine: Annotated[str, typer.Option(help="duckdb, in this process, or spark.")] = "duckdb",
    master: Annotated[
        str | None, typer.Option(help="Spark's master, or a Connect URL (sc://HOST:PORT); default: local[*].")
    ] = None,
    memory: Annotated[
        str | None, typer.Option(help="Budget of this process, such as 2GB; users are done in shards.")
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Build list-wise training samples from logs."""
    made = verbs.samples(
        folder,
        out,
        recipe,
        seed,
        settings or (),
        engine,
        master,
        memory,
        overwrite,
        progress=reporter(quiet),
    )
    if json:
        return _print_json(made.model_dump(mode="json"))
    return screen.show(*screen.samples_parts(made))


@app.command()
@_verb
def features(
    folder: Annotated[Path, typer.Argument(metavar="SAMPLES", help="A folder made by `corank samples`.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="YAML file to make.")],
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Write the feature spec that training would infer, to edit and pass to `train --features`."""
    del quiet
    spec = verbs.features(folder, out, overwrite)
    if json:
        return _print_json(spec.model_dump(mode="json"))
    rows = [[f.label, f.kind, f.source, f.group] for f in spec.fields]
    return screen.show(screen.table(str(out), ["field", "kind", "source", "group"], rows, left=4))


@app.command()
@_verb
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
        return _print_json(done.model_dump(mode="json"))
    rows = [[name, count] for name, count in done.parameters.items()]
    best = done.best_metric
    return screen.show(
        screen.table(f"{model}: parameters", ["part", "count"], rows),
        f"Best validation {best.name if best else '-'} {best.value if best else 0:.5f}"
        f" at step {done.best_step} of {done.steps}, {done.seconds:.1f} s. Next: corank evaluate {run}",
    )


@app.command()
@_verb
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder made by `corank train`.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="SAMPLES", help="Default: the samples it was trained on.")
    ] = None,
    split: Split = "test",
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.", min=1)] = 1000,
    seed: Seed = 0,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Measure a run on a split, with intervals."""
    done = verbs.evaluate(run, folder, split, resamples, seed, progress=reporter(quiet))
    if json:
        return _print_json(done.to_json())
    return screen.show(*screen.evaluation_tables(done, f"{run}: {split} (± half of the 95 % interval)"))


@app.command()
@_verb
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
        return _print_json({"path": str(path)})
    return screen.show(f"Predictions: {path}")


@app.command()
@_verb
def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Run folders; seeds of one model are taken together."),
    ],
    split: Split = "test",
    space: Annotated[str, typer.Option(help="exposed, unexposed or entire.")] = "exposed",
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.", min=1)] = 1000,
    seed: Seed = 0,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Paired differences of evaluated runs to the first, with intervals."""
    done = verbs.compare(runs, split, space, resamples, seed, progress=reporter(quiet))
    if json:
        return _print_json(done.to_json())
    return screen.show(screen.comparison_table(done))


@app.command()
@_verb
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
        return _print_json(done.to_json())
    page = f"Page: {out / 'report.html'}" if out else "A page with a plot: --out FOLDER"
    return screen.show(*screen.abtest_parts(done), page)


@app.command()
@_verb
def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A run, or a folder of runs and samples.")],
    out: Annotated[Path | None, typer.Option(help="HTML file; default: FOLDER/report.html.")] = None,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Write one self-contained HTML page."""
    path = verbs.report(folder, out, progress=reporter(quiet))
    if json:
        return _print_json({"path": str(path)})
    return screen.show(f"Report: {path}")


@app.command()
@_verb
def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder made by `corank train`.")],
    samples: Annotated[
        Path | None, typer.Option(metavar="SAMPLES", help="Default: the samples it was trained on.")
    ] = None,
    split: Split = "valid",
    requests: Annotated[
        int, typer.Option(help="How many requests to read for hidden states and attention.", min=0)
    ] = 200,
    request: Annotated[
        str | None, typer.Option(metavar="ID", help="A request whose scores are to be explained.")
    ] = None,
    items: Annotated[
        list[str] | None,
        typer.Option(
            "--item", metavar="ID", help="One of its items; may be repeated. Default: the best three."
        ),
    ] = None,
    groups: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="GROUP", help="Show the fields of this group too; may be repeated."),
    ] = None,
    baseline: Annotated[str, typer.Option(help="Of inputs left out: mean or missing.")] = "mean",
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Default: RUN/explain.")] = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Look into a run: its mixing matrices, hidden states, and why items of a request have their scores."""
    found = verbs.explain(
        run,
        samples,
        split,
        requests,
        request,
        items or (),
        groups or (),
        baseline,
        out,
        overwrite,
        progress=reporter(quiet),
    )
    if json:
        return _print_json(found.model_dump(mode="json"))
    return screen.show(*screen.explanation_parts(found), f"Page: {(out or run / 'explain') / 'explain.html'}")


@app.command()
@_verb
def models(
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="A pattern, such as 'rankmixer*'.")] = "*",
    samples: Annotated[
        Path | None, typer.Option(help="Count for the features of these samples; default: a schema of ours.")
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Names only, one a line.")] = False,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """List the models that match, with their parameters and operations."""
    if names:
        found = list_models(pattern)
        return _print_json(found) if json else screen.show(*found)
    sizes = verbs.models(pattern, samples, progress=reporter(quiet))
    if json:
        return _print_json([size.to_json() for size in sizes])
    return screen.show(*screen.model_parts(sizes))


if __name__ == "__main__":
    main()
