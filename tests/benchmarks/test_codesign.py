"""What the benchmark of studies adds to them: the mean over seeds of the simulated A/B test."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.study import small

import codesign
import codesign_figures
import codesign_table
import codesign_users
from corank.files import write_csv
from corank.study import CODESIGN, STUDIES
from corank.study.config import StudyConfig
from corank.study.result import TITLES
from corank.study.rows import read_rows, write_rows
from corank.study.widths import LINES


def row(seed: int, percent: float) -> dict[str, Any]:
    ends = {"run_a": "x", "run_b": "y"}
    numbers = {"a": 2.0, "b": 2.0 + seed, "percent": percent, "searches": 10}
    return {"seed": seed, "measure": "money"} | ends | numbers


def test_the_mean_has_students_interval_over_seeds() -> None:
    others = {**row(9, 50.0), "measure": "clicks"}, {**row(9, 50.0), "run_b": "z"}
    found = codesign.mean([row(1, 1.0), row(2, 2.0), row(3, 3.0), *others], "x", "y", "money")
    assert (found["seed"], found["percent"], found["b"], found["searches"]) == ("mean", 2.0, 4.0, 30)
    half = 4.302652729911275 * 1 / 3**0.5  # t of 2 degrees of freedom at .975, deviation 1
    assert (found["low"], found["high"]) == pytest.approx((2 - half, 2 + half))
    one = codesign.mean([row(1, 1.0)], "x", "y", "money")
    assert math.isnan(one["low"])


def test_a_new_work_folder_takes_over_what_is_in_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(codesign, "RESULTS", tmp_path / "results")
    usual, more = (
        StudyConfig().with_settings([*small.SETTINGS, f"seeds={seeds}"]).model_dump(mode="json")
        for seeds in (1, 2)
    )
    presets = {"default": usual, "more": more}
    monkeypatch.setitem(STUDIES, "codesign", replace(small.SMALL, presets=presets))
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
    mine = read_rows(runs)
    others = replace(mine[0], condition="hhsft_s-unexposed-steps", samples="f" * 64)
    write_rows(runs, [*mine, others])
    go_on("elsewhere", "--preset", "more")
    whole = read_rows(runs)
    assert len(whole) == len(mine) + 3, "a seed more of both, and what is of no condition of these"
    assert {row.identity for row in read_rows(work / "here" / "runs.csv")} == {row.identity for row in mine}
    before = said()
    with pytest.raises(SystemExit):
        go_on("here")
    assert "goes further than this call: 2 seeds" in capsys.readouterr().err
    assert said() == before, "what another folder has done stays"
    go_on("here", "--preset", "more", "--minutes", "0")
    done = read_rows(work / "here" / "runs.csv")
    assert {row.identity for row in done} == {row.identity for row in whole} - {others.identity}
    runs.write_text(runs.read_text().replace(mine[0].samples, "0" * 64))
    with pytest.raises(SystemExit, match="of other samples than those of"):
        go_on("elsewhere", "--preset", "more")
    with pytest.raises(SystemExit):
        go_on("other", "--results", "codesign", "--set", "resamples=30")
    assert "of other settings" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        go_on("here", "--results", "other", "--set", "resamples=30")
    assert "holds a study with resamples = 40, now 30" in capsys.readouterr().err


def test_tables_are_not_narrowed(tmp_path: Path) -> None:
    table = tmp_path / "codesign.csv"
    config = StudyConfig()
    assert codesign.less_than(table, [], config) == ""
    conditions = CODESIGN.conditions(config)
    facts = {"rate": 0.002, "seeds": 3}
    names = ("model", "size", "recipe", "budget")
    write_csv(table, [{name: getattr(one, name) for name in names} | facts for one in conditions])

    def said(*changes: str) -> str:
        asked = config.with_settings(changes)
        return codesign.less_than(table, CODESIGN.conditions(asked), asked)

    assert said() == said("seeds=5", "sizes=[xs,s]", "budgets=[steps,epochs]") == ""
    assert said("rates=[0.001,0.004]", "seeds=2") == "the rate 0.002, 3 seeds"
    assert said("sizes=[xs]") == "18 conditions, rankmixer_s_exposed_steps the first"
    assert said("models=[hhfi,hhsft]") == "12 conditions, rankmixer_s_exposed_steps the first"


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


def test_an_ab_test_is_of_a_size_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--results", "other", "--work", str(tmp_path / "work"), "--abtest", "xs"]
    monkeypatch.setattr(sys, "argv", ["codesign.py", *given])
    with pytest.raises(SystemExit):
        codesign.main()
    assert "--abtest xs: the sizes are s" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_a_table_of_users_tells_its_command() -> None:
    of_study = argparse.Namespace(results=None, preset="full", set=[], abtest=codesign.LARGEST)
    kept = codesign_table.read("codesign_abtest.csv")
    assert {row["command"] for row in kept if row["size"] == "s"} == {codesign.command_of(of_study)}
    varied = argparse.Namespace(
        results="other", preset="default", set=["samples=[x=1]", "sizes=[xs]"], abtest="xs"
    )
    told = "--results other --set 'samples=[x=1]' --set 'sizes=[xs]' --abtest xs"
    assert codesign.command_of(varied) == f"python benchmarks/codesign.py {told}"


def test_both_ends_are_conditions_of_the_study() -> None:
    known = {(one.model, one.recipe) for one in CODESIGN.conditions(StudyConfig())}
    replayed = [end for pair in codesign.REPLAYED for end in pair]
    assert len(set(replayed)) == len(replayed)
    assert set(replayed) <= known
    assert {end for step in codesign.STEPS for end in step} == set(replayed)
    assert codesign.STEPS[0] == (codesign.BASE, codesign.NEW) == codesign.REPLAYED[0]


def direction(
    name: str, size: str, budget: str, metric: str, value: float, verdict: str, runs: str | None = None
) -> dict[str, str]:
    return {
        "plus": runs or f"{name} {size} {budget}",
        "minus": "",
        "direction": name,
        "size": size,
        "budget": budget,
        "claim": f"claim {name}",
        "metric": metric,
        "difference": str(value),
        "low": str(value - 0.001),
        "high": str(value + 0.001),
        "verdict": verdict,
    }


def cells(lines: list[str]) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_table_has_a_column_a_setting_and_metric() -> None:
    first, second, third = codesign_table.SHOWN
    rows = [
        direction("i", "xs", "steps", first, 0.9, "open"),
        direction("i", "s", "steps", first, -0.0043, "reproduced"),
        direction("i", "s", "steps", second, 0.002, "refuted"),
        direction("i", "s", "steps", third, 0.003, "open"),
        direction("i", "s", "steps", "exposed.logloss", 0.5, "refuted"),
        direction("iv", "s", "steps", first, 0.0, "open"),
    ]
    heads, _, *lines = cells(codesign_table.summary(rows, [first, second]))
    assert heads[:3] == ["claim", "the paper, AUC", "the paper, GAUC"]
    assert heads[3:] == [
        f"{name}, {size}, equal steps" for size in ("xs", "s") for name in ("AUC, exposed", "GAUC, exposed")
    ]
    assert lines == [
        [
            "(i) claim i",
            "-0.0043",
            "-0.0024",
            "+0.9000 [+0.8990, +0.9010]",
            "",
            "-0.0043 [-0.0053, -0.0033]",
            "+0.0020 [+0.0010, +0.0030]",
        ],
        ["(iv) claim iv", "", "", "", "", "+0.0000 [-0.0010, +0.0010]", ""],
    ]
    assert len(codesign_table.summary(rows, [first], ["iv"])) == 3
    assert cells(codesign_table.summary(rows, [third]))[0] == ["claim", f"{TITLES[third]}, s, equal steps"]


def test_a_verdict_is_of_all_settings_and_counts_runs_once() -> None:
    first = codesign_table.SHOWN[0]
    rows = []
    for size, budget in codesign_table.FULL:
        larger = "open" if size == "xs" else "refuted"
        rows += [
            direction("i", size, budget, first, 0.0, larger),
            direction("iii", size, budget, first, 0.0, "open"),
            direction("both", size, budget, first, 0.0, larger, runs=size),
        ]
    heads, _, *lines = cells(codesign_table.summary(rows, [first]))
    assert heads[-1] == "verdict"
    assert [line[-1] for line in lines] == ["open 2, refuted 2", "open", "open 1, refuted 1"]
    assert [line[3] for line in lines] == [line[5] for line in lines] != ["the same"] * 3
    assert lines[2][3] == "the same"
    fewer = cells(codesign_table.summary(rows[:-3], [first]))
    assert fewer[0] == heads[:-2]


@pytest.mark.parametrize(
    ("page", "metrics", "names"),
    [
        ("README.md", codesign_table.SHOWN[:1], codesign_table.MAIN),
        *(("docs/experiments.md", [metric], ()) for metric in codesign_table.SHOWN),
        *(
            ("docs/experiments.md", [metric], (*codesign_table.MAIN, *codesign_table.MENDED))
            for metric in codesign_table.ALSO
        ),
    ],
)
def test_tables_of_directions_are_the_csv(page: str, metrics: Sequence[str], names: Sequence[str]) -> None:
    rows = codesign_table.read("codesign_directions.csv")
    shown = (codesign_table.ROOT / page).read_text(encoding="utf-8")
    assert "\n".join(codesign_table.summary(rows, metrics, names)) in shown


@pytest.mark.parametrize("of", ["widths", "codesign_apart"])
def test_tables_of_other_studies_are_the_csv(of: str) -> None:
    rows = codesign_table.read(f"{of}_directions.csv")
    shown = (codesign_table.ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    assert "\n".join(codesign_table.summary(rows, codesign_table.SHOWN[:2])) in shown


def test_all_metrics_of_unexposed_items_apart_are_the_csv() -> None:
    rows = codesign_table.read("codesign_apart_directions.csv")
    shown = (codesign_table.ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    assert "\n".join(codesign_table.every(rows, "s", "steps")) in shown


def test_every_ab_test_that_is_kept_is_drawn_and_its_steps_are_of_the_test() -> None:
    kept = {path.name.removesuffix("_abtest.csv") for path in codesign_table.RESULTS.glob("*_abtest.csv")}
    assert kept <= {sample.file for sample in codesign_figures.SAMPLES}
    steps = {(", ".join(over), ", ".join(to)) for over, to in codesign.STEPS}
    assert set(codesign_figures.STEPS) <= steps


@pytest.mark.parametrize(
    "file",
    [
        "codesign_abtest.csv",
        "codesign_apart_abtest.csv",
        "codesign_apart_log1_abtest.csv",
        "codesign_log1_abtest.csv",
    ],
)
def test_what_users_would_do_is_the_csv(file: str) -> None:
    kept = codesign_users.by_size(codesign_table.read(file))
    shown = (codesign_table.ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    assert kept
    for rows in kept.values():
        assert "\n".join(codesign_users.means(rows)) in shown
        assert codesign_users.abtest(rows)[: len(codesign_users.means(rows))] == codesign_users.means(rows)


def test_unexposed_items_apart_over_within_are_the_csv_and_of_the_same_days() -> None:
    shown = (codesign_table.ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    assert "\n".join(codesign_users.apart()) in shown
    readme = (codesign_table.ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n".join(codesign_users.whole()) in readme
    key = ("m, exposed", "clicks", "1")
    with pytest.raises(ValueError, match="of other days"):
        codesign_users.seed_by_seed({key: 1.0}, {key: 1.01})


def test_an_ab_test_of_one_size_leaves_those_of_others(tmp_path: Path) -> None:
    path = tmp_path / "abtest.csv"
    small = [{**row(1, 1.0), "size": "xs"}]
    assert codesign.beside(path, small) == small
    write_csv(path, small)
    write_csv(path, codesign.beside(path, [{**row(1, 2.0), "size": "s"}]))
    write_csv(path, codesign.beside(path, [{**row(1, 3.0), "size": "s"}]))
    found = codesign_users.by_size(codesign.rows_of(path))
    assert {size: [one["percent"] for one in rows] for size, rows in found.items()} == {
        "xs": ["1.0"],
        "s": ["3.0"],
    }


def test_what_the_paper_published_is_of_directions_that_are_judged() -> None:
    config = StudyConfig()
    names = {one.name for study in STUDIES.values() for one in study.claims(config)}
    assert set(codesign_table.PUBLISHED) <= names
    of_widths = {one.name for one in STUDIES["widths"].claims(config)}
    assert of_widths <= set(codesign_table.PUBLISHED)
    assert list(codesign_table.FIGURE_4) == [line.name for line in LINES]
