"""What the pages of studies draw, of what is done."""

from __future__ import annotations

from pathlib import Path

from corank.evaluation.intervals import Difference
from corank.study import WIDTHS
from corank.study.config import StudyConfig
from corank.study.pictures import lines
from corank.study.result import TESTS, Direction, StudyResult


def result(config: StudyConfig, known: dict[tuple[str, str], float]) -> StudyResult:
    directions = tuple(
        Direction(one, {m: Difference(known[one.name, one.size], -1.0, 1.0, None) for m in TESTS}, {})
        if (one.name, one.size) in known
        else Direction(one, {}, {})
        for one in WIDTHS.claims(config)
    )
    return StudyResult("widths", Path(), config, False, (), directions)


def test_lines_show_the_points_that_are_done() -> None:
    config = StudyConfig(sizes=("xs", "s"))
    known = {
        ("both + ES3, 1x", "xs"): 0.0012,
        ("both + ES3, 3x", "xs"): 0.0068,
        ("d_H, 2x", "xs"): -0.0016,
        ("v d_G, d_H, 2x", "xs"): 0.5,
    }
    (drawn,) = lines(result(config, known))
    assert drawn.title == "Simulated: widths of hhsft_xs, equal steps"
    assert drawn.alt.endswith("; AUC, exposed: d_H 2x -0.0016; both + ES3 1x +0.0012, 3x +0.0068")
    assert lines(result(config, {})) == ()
