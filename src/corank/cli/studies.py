"""Studies of samples and models together."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from corank.cli.later import screen, studies
from corank.cli.options import Json, QuietFlag, Settings, print_json
from corank.errors import CorankError, unknown
from corank.progress import reporter


def study(
    name: Annotated[str, typer.Argument(metavar="NAME", help="codesign or widths.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Its folder; gone on with if it exists.")],
    quick: Annotated[bool, typer.Option("--quick", help="Small, one seed: shows that all works.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="What a direction is judged by: five seeds, two sizes.")
    ] = False,
    settings: Settings = None,
    jobs: Annotated[int, typer.Option(help="Processes at a time, one thread each.", min=1)] = 2,
    minutes: Annotated[float, typer.Option(help="Begin no run after so long.", min=0)] = math.inf,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Samples and model together, simulated: codesign trains eight models on each, widths scales HHSFT."""
    if name not in studies.STUDIES:
        raise unknown("study", name, studies.STUDIES)
    if quick and full:
        raise CorankError("study: --quick and --full are two presets; give one of them")
    preset = "quick" if quick else "full" if full else "default"
    chosen = studies.STUDIES[name]
    done = studies.run_study(chosen, out, preset, settings or (), jobs, minutes, reporter(quiet))
    if json:
        return print_json(done.to_dict())
    return screen.show(*screen.study_parts(done))
