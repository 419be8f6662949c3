"""Verbs that show what is there: pages, insides, the list of models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corank.cli.later import registry, screen, verbs
from corank.cli.options import Json, Overwrite, QuietFlag, Split, print_json
from corank.progress import reporter


def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A run, or a folder of runs and samples.")],
    out: Annotated[Path | None, typer.Option(help="HTML file; default: FOLDER/report.html.")] = None,
    samples: Annotated[
        Path | None,
        typer.Option(metavar="SAMPLES", help="Default: those in FOLDER that runs were trained on."),
    ] = None,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Write one self-contained HTML page."""
    path = verbs.report(folder, out, samples, progress=reporter(quiet))
    if json:
        return print_json({"path": str(path)})
    return screen.show(f"Report: {path}")


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
        return print_json(found.model_dump(mode="json"))
    return screen.show(*screen.explanation_parts(found), f"Page: {(out or run / 'explain') / 'explain.html'}")


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
        found = registry.list_models(pattern)
        return print_json(found) if json else screen.show(*found)
    sizes = verbs.models(pattern, samples, progress=reporter(quiet))
    if json:
        return print_json([size.to_json() for size in sizes])
    return screen.show(*screen.model_parts(sizes))
