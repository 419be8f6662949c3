"""What the benchmark of studies adds to them: the mean over seeds of the simulated A/B test."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.study import small

import codesign
import codesign_table
from corank.study import CODESIGN, STUDIES
from corank.study.conditions import ENDS, MODELS
from corank.study.config import StudyConfig
from corank.study.rows import read_rows


def row(seed: int, percent: float) -> dict[str, Any]:
    return {"seed": seed, "measure": "money", "a": 2.0, "b": 2.0 + seed, "percent": percent, "searches": 10}


def test_the_mean_has_students_interval_over_seeds() -> None:
    found = codesign.mean(
        [row(1, 1.0), row(2, 2.0), row(3, 3.0), {**row(9, 50.0), "measure": "clicks"}], "money"
    )
    assert (found["seed"], found["percent"], found["b"], found["searches"]) == ("mean", 2.0, 4.0, 30)
    half = 4.302652729911275 * 1 / 3**0.5  # t of 2 degrees of freedom at .975, deviation 1
    assert (found["low"], found["high"]) == pytest.approx((2 - half, 2 + half))
    one = codesign.mean([row(1, 1.0)], "money")
    assert math.isnan(one["low"])


def test_a_new_work_folder_takes_over_what_is_in_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(codesign, "RESULTS", tmp_path / "results")
    usual = StudyConfig().with_settings([*small.SETTINGS, "seeds=1"]).model_dump(mode="json")
    monkeypatch.setitem(STUDIES, "codesign", replace(small.SMALL, presets={"default": usual}))
    work = tmp_path / "work"
    (tmp_path / "results").mkdir()

    def go_on(folder: str, *more: str) -> None:
        given = ["--work", str(work / folder), "--jobs", "1", *more]
        monkeypatch.setattr(sys, "argv", ["codesign.py", *given])
        codesign.main()

    def said() -> list[bytes]:
        return [path.read_bytes() for path in sorted((tmp_path / "results").rglob("codesign*.*"))]

    go_on("here")
    before = said()
    assert len(before) == 4
    assert len(list((tmp_path / "results" / "codesign_draws").iterdir())) == 2
    go_on("elsewhere", "--minutes", "0")
    assert said() == before
    assert not (work / "elsewhere" / "runs").exists()
    go_on("here", "--results", "codesign_mlp", "--set", "models=[mlp]")
    tables = [tmp_path / "results" / f"codesign_mlp{end}.csv" for end in ("", "_directions")]
    assert sorted((tmp_path / "results").glob("codesign_mlp*")) == tables
    for table in tables:
        table.unlink()
    assert said() == before, "runs and draws of the same training are the study's"
    runs = tmp_path / "results" / "codesign_runs.csv"
    samples = {row.samples for row in read_rows(runs)}
    runs.write_text(runs.read_text().replace(samples.pop(), "0" * 64))
    (work / "elsewhere" / "runs.csv").unlink()
    with pytest.raises(SystemExit, match="of other samples than those of"):
        go_on("elsewhere")
    with pytest.raises(SystemExit):
        go_on("other", "--results", "codesign", "--set", "resamples=30")
    assert "of other settings" in capsys.readouterr().err


@pytest.mark.parametrize(
    "asked", ["--set=models=[hhsft]", "--set=epochs=2", "--set=log_seed=1", "--preset=quick"]
)
def test_a_variation_wants_a_name(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["codesign.py", "--work", str(tmp_path / "work"), asked])
    with pytest.raises(SystemExit):
        codesign.main()
    assert "by --results" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("asked", ["--study=widths", "--set=models=[hhfi,hhsft]"])
def test_an_ab_test_wants_both_ends(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--abtest", "--results", "other", "--work", str(tmp_path / "work"), asked]
    monkeypatch.setattr(sys, "argv", ["codesign.py", *given])
    with pytest.raises(SystemExit):
        codesign.main()
    assert "with the models hhsft, rankmixer" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_both_ends_are_conditions_of_the_study() -> None:
    for model, recipe in (codesign.BASE, codesign.NEW):
        assert model in MODELS
        assert recipe in ENDS


def direction(name: str, where: str, metric: str, value: float, verdict: str) -> dict[str, str]:
    return {
        "direction": f"{name} ({where})",
        "claim": f"claim {name}",
        "metric": metric,
        "difference": str(value),
        "low": str(value - 0.001),
        "high": str(value + 0.001),
        "verdict": verdict,
    }


def test_the_readme_shows_the_largest_size_and_what_each_budget_says() -> None:
    first, second, third = codesign_table.SHOWN
    rows = [
        direction("i", "xs, equal steps", first, 0.9, "open"),
        direction("i", "s, equal steps", first, -0.0043, "reproduced"),
        direction("i", "s, equal steps", second, 0.002, "refuted"),
        direction("i", "s, equal steps", third, 0.003, "open"),
        direction("i", "s, equal steps", "exposed.logloss", 0.5, "refuted"),
        direction("i", "s, equal epochs", first, 0.0, "open"),
        direction("iv", "xs to s, equal steps", first, 0.0, "open"),
    ]
    lines = codesign_table.summary(rows)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len(cells[0]) == 2 + 6
    assert cells[2] == [
        "i: claim i",
        "-0.43",
        "-0.0043 [-0.0053, -0.0033]",
        "+0.0020 [+0.0010, +0.0030]",
        "+0.0030 [+0.0020, +0.0040]",
        "+0.0000 [-0.0010, +0.0010]",
        "",
        "",
    ]
    assert cells[3][:3] == ["iv: claim iv", "", "+0.0000 [-0.0010, +0.0010]"]
    assert len(cells) == 4


def test_what_the_paper_published_is_of_directions_that_are_judged() -> None:
    config = StudyConfig()
    names = {codesign_table.place(one.name)[0] for one in CODESIGN.claims(config)}
    assert set(codesign_table.PUBLISHED) <= names
