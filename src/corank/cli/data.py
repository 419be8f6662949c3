"""Verbs that make data and look at them: logs, samples, features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corank.cli.later import screen, verbs
from corank.cli.options import Json, Overwrite, QuietFlag, Seed, Settings, print_json
from corank.logs import SOURCES
from corank.progress import reporter


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
        return print_json(made.to_dict())
    rows = [[name, count] for name, count in made.rows.items()]
    events = [[name, count] for name, count in made.events.items()]
    return screen.show(
        screen.table(f"{out} in {made.seconds:.1f} s", ["table", "rows"], rows),
        screen.table("Events", ["domain and action", "events"], events),
    )


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
        return print_json(made.to_dict())
    unusable = [[reason, found.count, found.meaning] for reason, found in made.unusable.items()]
    return screen.show(
        screen.table(f"{made.title}: {out}", ["table", "rows"], made.rows.items()),
        screen.table("Read", ["rows of the source", "count"], made.read.items()),
        screen.table("Not used as such", ["reason", "count", "meaning"], unusable),
    )


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
        print_json(found.to_dict())
    else:
        screen.show(*screen.check_parts(found))
    found.raise_if_broken()


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
        return print_json(found.to_dict())
    page = f"Page: {out}" if out else f"A page with plots: corank audit {folder} --out audit.html"
    return screen.show(*screen.audit_parts(found), page)


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
        return print_json(made.model_dump(mode="json"))
    return screen.show(*screen.samples_parts(made))


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
        return print_json(spec.model_dump(mode="json"))
    rows = [[f.label, f.kind, f.source, f.group] for f in spec.fields]
    return screen.show(screen.table(str(out), ["field", "kind", "source", "group"], rows, left=4))
