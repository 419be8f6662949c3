"""`corank study codesign`: samples and model together, the table of UniScale on a simulated marketplace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from corank.progress import QUIET, Reporter
from corank.study.claims import codesign_claims
from corank.study.conditions import codesign_conditions
from corank.study.result import StudyResult
from corank.study.study import study


def codesign(
    out: Path,
    preset: str = "default",
    settings: Sequence[str] = (),
    jobs: int = 2,
    minutes: float = math.inf,
    progress: Reporter = QUIET,
) -> StudyResult:
    """Train eight models on exposed and on es3 samples, HHSFT on the stages between, as far as time goes.

    Every condition has the same learning rates to choose from and the same steps. A call goes on after the
    runs that are in `out`, which may be those of a smaller preset on the same log.

    Args:
        out: the study's folder; made if it is not there. Holds the log, the samples, runs.csv,
            conditions.csv, directions.csv and report.html, the last three of what is done so far.
        preset: `quick` (minutes), `default` (hours) or `full`.
        settings: `key=value` changes to `StudyConfig`.
        jobs: processes at a time, one thread each.
        minutes: no run begins later.
        progress: where to report.

    Raises:
        CorankError: a preset or setting does not exist or fit, `out` holds something else or a study with
            another log or training, or a run that counts diverges.
    """
    return study(
        "codesign", out, preset, settings, jobs, minutes, progress, codesign_conditions, codesign_claims
    )
