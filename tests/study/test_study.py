"""A study's runs are those of the verbs, go on after any break, and are told as they came out."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from corank import verbs
from corank.errors import CorankError, Diverged
from corank.files import alone_in
from corank.samples import read_manifest
from corank.study import CODESIGN
from corank.study.conditions import STAGES
from corank.study.config import StudyConfig
from corank.study.result import TESTS, StudyResult
from corank.study.rows import Row, read_rows, write_rows
from corank.study.study import of_models, run_study
from tests import interrupts
from tests.study import small


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    return small.run(tmp_path_factory.mktemp("study") / "small")


def rows(folder: Path) -> list[Row]:
    return read_rows(folder / "runs.csv")


def but_seconds(found: list[Row]) -> list[dict[str, object]]:
    return [{name: value for name, value in vars(row).items() if name != "seconds"} for row in found]


def test_trials_choose_by_validation_and_look_at_no_test(done: StudyResult) -> None:
    found = rows(done.folder)
    assert len(found) == 2 * (2 + 2)
    assert done.complete
    for condition in (small.EXPOSED, small.ES3):
        trials = [row for row in found if (row.condition, row.kind) == (condition.key, "trial")]
        finals = [row for row in found if (row.condition, row.kind) == (condition.key, "final")]
        assert [(row.rate, row.seed, row.test) for row in trials] == [(0.001, 0, {}), (0.004, 0, {})]
        best = max(trials, key=lambda row: row.valid or 0.0)
        assert [(row.rate, row.seed) for row in finals] == [(best.rate, 1), (best.rate, 2)]
        assert all(set(row.test) == set(TESTS) for row in finals)
    assert not list((done.folder / "runs").glob("*seed0"))
    assert len(list((done.folder / "runs").iterdir())) == 4


def test_both_recipes_learn_from_as_many_samples(done: StudyResult) -> None:
    steps = {row.condition: row.steps for row in rows(done.folder)}
    ratio = steps[small.EXPOSED.key] / steps[small.ES3.key]
    assert abs(ratio - 1) < 0.15  # a batch closes with a list: of ten samples, or of thirty
    info = json.loads(next((done.folder / "runs").glob("*exposed*1/config.json")).read_text())
    assert info["train"]["epochs"] > 2 * 0.3


def test_a_run_is_what_the_verbs_make_of_it(done: StudyResult, tmp_path: Path) -> None:
    row = next(row for row in rows(done.folder) if row.kind == "final" and row.condition == small.ES3.key)
    settings = [
        "epochs=0.3",
        "evaluations_per_epoch=13",
        "patience=99",
        "reader.batch_samples=256",
        f"optimizer.lr={row.rate}",
        "optimizer.embedding_lr=0.005",
    ]
    samples = done.folder / "samples" / "es3"
    verbs.train(samples, tmp_path / "run", "dlrm_mlp_xs", row.seed, settings)
    found = verbs.evaluate(tmp_path / "run", resamples=2).metrics
    for test in TESTS:
        space, _, name = test.partition(".")
        assert found[space]["all"][name].value == pytest.approx(row.test[test], abs=1e-6), test


def test_a_smaller_study_is_gone_on_with(done: StudyResult, tmp_path: Path) -> None:
    """Seed by seed, after a run whose measures are lost, and with no time left nothing is begun."""
    folder = tmp_path / "small"
    idle = small.run(folder, ["seeds=1"], minutes=0)
    assert (idle.complete, rows(folder)) == (False, [])
    assert all(not one.found for one in idle.directions)
    first = small.run(folder, ["seeds=1"])
    assert first.complete
    assert {word for one in first.directions for word in one.verdicts.values()} == {
        "open"
    }  # of one seed each
    before = rows(folder)
    lost = next((folder / "draws").glob("*es3*"))
    lost.unlink()
    assert small.run(folder).complete
    found = rows(folder)
    assert {row.identity for row in before} < {row.identity for row in found}
    key = [(row.condition, row.kind, row.rate, row.seed) for row in found]
    assert len(key) == len(set(key)) == 8
    whole = sorted(rows(done.folder), key=lambda row: row.identity)
    assert but_seconds(sorted(found, key=lambda row: row.identity)) == but_seconds(whole)
    assert lost.read_bytes() == (done.folder / "draws" / lost.name).read_bytes()


def group_works(leader: int) -> bool:
    """Is any process of that group there?"""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("how", ["killed", "interrupted"])
def test_ended_from_outside_it_goes_on(done: StudyResult, tmp_path: Path, how: str) -> None:
    folder = tmp_path / "small"
    shutil.copytree(done.folder, folder, ignore=shutil.ignore_patterns("runs*", "draws", "*.csv"))
    command = [sys.executable, "-m", "tests.study.small", str(folder)]
    with interrupts.heard():
        process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while len(rows(folder)) < 3 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    if how == "killed":
        process.kill()  # the study's process alone; those of its runs must not work on
    else:
        os.killpg(process.pid, signal.SIGINT)  # all of them, as a terminal does
        os.killpg(process.pid, signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    while group_works(process.pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not group_works(process.pid)
    assert process.returncode == -(signal.SIGKILL if how == "killed" else signal.SIGINT)
    for of_workers in ("_process_worker", "spawn_main"):
        assert of_workers not in told
    assert 3 <= len(rows(folder)) < 8
    subprocess.run(command, check=True)
    assert but_seconds(rows(folder)) == but_seconds(rows(done.folder))
    for name in ("conditions.csv", "directions.csv", "report.html"):
        assert (folder / name).read_bytes() == (done.folder / name).read_bytes(), name


def test_a_rate_that_diverges_loses(done: StudyResult, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(done.folder, folder, ignore=shutil.ignore_patterns("runs*", "draws", "*.csv"))
    assert small.run(folder, ["rates=[0.001,1.0e+30]", "seeds=1"]).complete
    found = {(row.kind, row.rate): row.valid for row in rows(folder) if row.condition == small.ES3.key}
    assert found["trial", 1e30] is None
    assert found["final", 0.001] is not None
    with pytest.raises(CorankError, match=r"lower optimizer\.lr"):
        small.run(folder, ["rates=[1.0e+30]", "seeds=1"])


def test_a_trial_that_was_not_quite_removed_stops_nothing(done: StudyResult, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(done.folder, folder)
    trial = next(row for row in rows(folder) if row.kind == "trial")
    left = folder / "runs" / trial.name
    left.mkdir()
    (left / "run.json").write_text("half of")
    assert small.run(folder).complete
    assert not left.exists()
    assert rows(folder) == rows(done.folder)


def test_a_run_that_fails_takes_no_other_with_it(done: StudyResult, tmp_path: Path) -> None:
    """What runs beside it is finished and keeps its row."""
    folder = tmp_path / "small"
    shutil.copytree(done.folder, folder, ignore=shutil.ignore_patterns("runs", "draws", "*.csv"))
    trials = [row for row in rows(done.folder) if row.kind == "trial"]
    write_rows(folder / "runs.csv", trials)
    first, beside = (
        next(
            row
            for row in rows(done.folder)
            if (row.kind, row.seed, row.condition) == ("final", 1, condition.key)
        )
        for condition in (small.EXPOSED, small.ES3)
    )
    (folder / "runs").mkdir()
    (folder / "runs" / first.name).write_text("in the way")
    with pytest.raises(CorankError, match=re.escape(first.name)):
        run_study(small.SMALL, folder, "default", small.SETTINGS, jobs=2)
    assert but_seconds(rows(folder)) == but_seconds([*trials, beside])
    with (folder / "conditions.csv").open(newline="") as stream:
        assert [line["recipe"] for line in csv.DictReader(stream)] == ["es3"], "tables tell what is done"


def test_a_run_that_diverges_stops_no_other(done: StudyResult, tmp_path: Path) -> None:
    """Its condition stays without seeds, and the call ends by naming it."""
    folder = tmp_path / "small"
    shutil.copytree(done.folder, folder, ignore=shutil.ignore_patterns("runs", "draws", "*.csv"))
    wild = 1e30
    trials = [
        replace(row, rate=rate, valid=valid)
        for row in rows(done.folder)
        if row.kind == "trial" and row.rate == 0.001
        for rate, valid in ((0.001, 0.6), (wild, 0.9 if row.condition == small.EXPOSED.key else 0.5))
    ]
    write_rows(folder / "runs.csv", trials)
    with pytest.raises(Diverged):
        small.run(folder, [f"rates=[0.001,{wild}]"])
    finals = [(row.condition, row.seed) for row in rows(folder) if row.kind == "final"]
    assert finals == [(small.ES3.key, 1), (small.ES3.key, 2)]


def test_recipes_of_other_tests_are_refused(done: StudyResult, tmp_path: Path) -> None:
    """Differences are taken request by request."""
    folder = tmp_path / "small"
    shutil.copytree(done.folder, folder)
    verbs.samples(folder / "logs", folder / "samples" / "es3", "es3", settings=["test=.3"], overwrite=True)
    with pytest.raises(CorankError, match="its test split has other rows or labels than that of exposed"):
        small.run(folder)


def test_the_tables_say_what_was_found(done: StudyResult) -> None:
    with (done.folder / "conditions.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    for line, found in zip(lines, done.conditions, strict=True):
        gauc = [row.test["exposed.gauc"] for row in found.runs]
        assert float(line["exposed.gauc"]) == pytest.approx(sum(gauc) / len(gauc), abs=1e-6)
        assert (
            float(line["exposed.gauc_low"]) < float(line["exposed.gauc"]) < float(line["exposed.gauc_high"])
        )
        assert (line["seeds"], line["simulated"], line["complete"]) == ("2", "True", "True")
        assert (line["rate"], line["of_rates"]) in (("0.001", "lowest"), ("0.004", "highest"))
    with (done.folder / "directions.csv").open(newline="") as stream:
        first = next(csv.DictReader(stream))
    values = [found.values["exposed.gauc"].value or math.nan for found in done.conditions]
    assert float(first["difference"]) == pytest.approx(values[1] - values[0], abs=2e-6)
    page = (done.folder / "report.html").read_text()
    assert f"learning rate {lines[0]['rate']}, the {lines[0]['of_rates']} tried" in page
    assert "Simulated" in page
    assert "es3 is better" in page


def test_samples_are_built_as_asked_and_the_tables_say_so(tmp_path: Path) -> None:
    found = small.run(tmp_path / "weighed", ["samples=[unexposed_weight=0.25]"], minutes=0)
    for recipe in ("exposed", "es3"):
        assert read_manifest(found.folder / "samples" / recipe).config.unexposed_weight == 0.25
    assert "Samples are built with unexposed_weight=0.25." in (found.folder / "report.html").read_text()


def test_some_models_are_a_part_of_the_study() -> None:
    config = StudyConfig()
    every = CODESIGN.conditions(config)
    found = of_models(every, ["rankmixer", "hhsft"])
    assert [(one.model, one.recipe) for one in found] == [
        ("rankmixer", "exposed"),
        ("rankmixer", "es3"),
        *(("hhsft", recipe) for recipe in STAGES),
    ]
    assert of_models(every, []) == every
    assert StudyConfig(models=("hhsft",)).shared() == config.shared()


def test_what_could_not_be_compared_is_refused(done: StudyResult, tmp_path: Path) -> None:
    with pytest.raises(CorankError, match="holds a study with searches = 500, now 600"):
        small.run(done.folder, ["searches=600"])
    with pytest.raises(CorankError, match=r"holds a study with market = \[\], now"):
        small.run(done.folder, ["market=[needs.browse_per_search=3]"])
    for wrong, sentence in (("catalog.itms=300", "did you mean"), ("requests=900", "are `searches`")):
        with pytest.raises(CorankError, match=sentence):
            small.run(tmp_path / "none", [f"market=[{wrong}]"])
    for wrong, sentence in (
        ("unexposed_wight=.5", "did you mean"),
        ("test=.3", "is `test`"),
        ("test =.3", "is `test`"),
        ("valid_from=2024-01-05, test_from=2024-01-08", "is `test`"),
    ):
        with pytest.raises(CorankError, match=sentence):
            small.run(tmp_path / "none", [f"samples=[{wrong}]"])
    assert not (tmp_path / "none").exists()
    with pytest.raises(CorankError, match="unknown preset 'quik'; did you mean 'quick'"):
        run_study(small.SMALL, tmp_path, "quik")
    with pytest.raises(CorankError, match=r"unknown model 'hhst' .*did you mean 'hhsft'"):
        run_study(CODESIGN, tmp_path / "none", settings=["models=[hhst]"])
    with pytest.raises(CorankError, match="jobs = 0"):
        run_study(small.SMALL, tmp_path, "quick", jobs=0)
    with alone_in(done.folder), pytest.raises(CorankError, match="another process is at work there"):
        small.run(done.folder)
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "notes.txt").write_text("mine")
    with pytest.raises(CorankError, match="holds something else than a study; name another folder"):
        small.run(tmp_path / "else")
    assert (tmp_path / "else" / "notes.txt").read_text() == "mine"
    broken = tmp_path / "broken"
    shutil.copytree(done.folder, broken, ignore=shutil.ignore_patterns("logs", "samples"))
    (broken / "runs.csv").write_text("condition,kind\nx,y\n")
    with pytest.raises(CorankError, match="not the runs of a study"):
        rows(broken)
