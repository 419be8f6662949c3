"""A study of two conditions that takes seconds: the whole way, by the functions that all studies use."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

from corank.study.conditions import Condition
from corank.study.config import StudyConfig
from corank.study.contrasts import Contrast
from corank.study.pictures import dots
from corank.study.result import StudyResult
from corank.study.study import Study, run_study

SETTINGS = (
    "searches=500",
    "epochs=0.3",
    "batch_samples=256",
    "rates=[0.001,0.004]",
    "seeds=2",
    "sizes=[xs]",
    "resamples=40",
)
EXPOSED, ES3 = (Condition("mlp", recipe, "xs", "steps", "dlrm_mlp_xs") for recipe in ("exposed", "es3"))
CLAIM = Contrast("more", "es3 is better", (ES3,), (EXPOSED,), "above", "xs", "steps")


def conditions(config: StudyConfig) -> list[Condition]:
    del config
    return [EXPOSED, ES3]


def claims(config: StudyConfig) -> list[Contrast]:
    del config
    return [CLAIM]


SMALL = Study("small", {"quick": {}, "default": {}}, conditions, claims, dots)


def run(out: Path, settings: Sequence[str] = (), minutes: float = math.inf) -> StudyResult:
    return run_study(SMALL, out, "default", [*SETTINGS, *settings], 1, minutes)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
