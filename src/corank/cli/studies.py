"""Studies of samples and models: `corank study NAME OUT`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from corank import screen, study
from corank.cli.options import Json, QuietFlag, Settings, print_json
from corank.errors import CorankError
from corank.progress import reporter
from corank.study.result import StudyResult

Out = Annotated[Path, typer.Argument(metavar="OUT", help="The study's folder; gone on with if it exists.")]
Quick = Annotated[bool, typer.Option("--quick", help="Small, one seed: shows that all works.")]
Full = Annotated[bool, typer.Option("--full", help="What a direction is judged by: five seeds, two sizes.")]
Jobs = Annotated[int, typer.Option(help="Processes at a time, one thread each.", min=1)]
Minutes = Annotated[float, typer.Option(help="Begin no run after so long.", min=0)]


def codesign(
    out: Out,
    quick: Quick = False,
    full: Full = False,
    settings: Settings = None,
    jobs: Jobs = 2,
    minutes: Minutes = math.inf,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """Samples and model together: {exposed, es3} x {RankMixer, HHFI, its extensions, UniMixing-Lite}."""
    _run(study.codesign, out, quick, full, settings, jobs, minutes, json, quiet)


def widths(
    out: Out,
    quick: Quick = False,
    full: Full = False,
    settings: Settings = None,
    jobs: Jobs = 2,
    minutes: Minutes = math.inf,
    json: Json = False,
    quiet: QuietFlag = False,
) -> None:
    """HHSFT with one to four times each width, on exposed samples and on es3."""
    _run(study.widths, out, quick, full, settings, jobs, minutes, json, quiet)


def _run(
    of: Callable[..., StudyResult],
    out: Path,
    quick: bool,
    full: bool,
    settings: list[str] | None,
    jobs: int,
    minutes: float,
    json: bool,
    quiet: bool,
) -> None:
    if quick and full:
        raise CorankError("study: --quick and --full are two presets; give one of them")
    preset = "quick" if quick else "full" if full else "default"
    done = of(out, preset, settings or (), jobs, minutes, progress=reporter(quiet))
    if json:
        return print_json(done.to_dict())
    return screen.show(*screen.study_parts(done))
