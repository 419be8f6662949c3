"""The command line: the whole path, one JSON document, silence, and the same results as from Python."""

from __future__ import annotations

import inspect
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer

import corank as package
from corank import cli, verbs
from corank.cli.options import guarded
from corank.models import list_models
from tests import interrupts
from tests.cli import corank, document, refusal

FEW_STEPS = ("epochs=1", "reader.batch_samples=1024", "log_every=1", "optimizer.warmup_steps=2")
SET = [word for setting in FEW_STEPS for word in ("--set", setting)]
VERBS = (
    "audit", "samples", "features", "train", "evaluate", "explain", "predict", "compare", "abtest", "report",
    "models",
)  # fmt: skip
MODELS = ("dlrm_mlp_xs", "rankmixer_xs")


@dataclass(frozen=True)
class Made:
    """What the whole path made: its folder, and each verb's JSON document."""

    folder: Path
    said: dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Every step once, from the simulation to the report."""
    at = tmp_path_factory.mktemp("cli")
    logs, samples, runs = at / "logs", at / "samples", at / "runs"
    one, two = (runs / model for model in MODELS)
    said = {
        "simulate": document("logs", "simulate", logs, "--set", "requests=300"),
        "check": document("logs", "check", logs),
        "audit": document("audit", logs, "--out", at / "audit.html"),
        "samples": document("samples", logs, samples, "--recipe", "unexposed"),
        "audit again": document("audit", samples),
        "features": document("features", samples, at / "features.yaml"),
        "train": document("train", samples, one, "--model", MODELS[0], *SET),
        "train again": document(
            "train", samples, two, "--model", MODELS[1], *SET, "--features", at / "features.yaml"
        ),
        "evaluate": document("evaluate", one, "--resamples", 20),
        "evaluate again": document("evaluate", two, samples, "--resamples", 20),
        "predict": document("predict", one, samples, at / "predictions.parquet"),
        "compare": document("compare", one, two, "--resamples", 20),
        "explain": document("explain", two, "--requests", 5),
        "report": document("report", runs),
        "models": document("models"),
    }
    return Made(at, said)


def test_each_verb_says_what_it_made(made: Made) -> None:
    said, at = made.said, made.folder
    assert said["simulate"]["rows"]["requests"] == said["check"]["summary"]["rows"]["requests"]
    assert said["check"]["findings"] == []
    assert (said["audit"]["kind"], said["audit again"]["kind"]) == ("logs", "samples")
    assert (at / "audit.html").read_text().startswith("<!doctype html>")
    assert said["samples"] == json.loads((at / "samples" / "manifest.json").read_text())
    assert len(said["features"]["fields"]) == (at / "features.yaml").read_text().count("- {column")
    assert said["train"] == json.loads((at / "runs" / MODELS[0] / "run.json").read_text())
    assert said["evaluate"] == json.loads((at / "runs" / MODELS[0] / "evaluation" / "test.json").read_text())
    assert [model["name"] for model in said["compare"]["models"]] == list(MODELS)
    assert [model["name"] for model in said["models"]] == list_models()
    assert said["explain"] == json.loads((at / "runs" / MODELS[1] / "explain" / "explain.json").read_text())
    assert Path(said["report"]["path"]).read_text().startswith("<!doctype html>")


def test_an_edited_spec_that_says_the_same_changes_nothing(made: Made) -> None:
    """The features inferred for the first model are those written out for the second."""
    one, two = (made.folder / "runs" / model / "features" for model in MODELS)
    assert (one / "spec.yaml").read_bytes() == (two / "spec.yaml").read_bytes()
    assert (one / "statistics.json").read_bytes() == (two / "statistics.json").read_bytes()


def test_python_gives_the_same_as_the_command_line(made: Made, tmp_path: Path) -> None:
    logs, samples, run = tmp_path / "logs", tmp_path / "samples", tmp_path / "run"
    verbs.simulate(logs, settings=("requests=300",))
    audit = verbs.audit(logs, tmp_path / "audit.html").to_dict()
    assert {**audit, "folder": made.said["audit"]["folder"]} == made.said["audit"]
    assert (tmp_path / "audit.html").read_text() == (made.folder / "audit.html").read_text()
    manifest = verbs.samples(logs, samples, "unexposed")
    assert manifest.fingerprint == made.said["samples"]["fingerprint"]
    verbs.train(samples, run, MODELS[0], settings=FEW_STEPS)
    theirs = made.folder / "runs" / MODELS[0]
    assert (run / "model.safetensors").read_bytes() == (theirs / "model.safetensors").read_bytes()
    scored = pq.read_table(verbs.predict(run, samples, tmp_path / "p.parquet"))
    assert scored.equals(pq.read_table(made.folder / "predictions.parquet"))
    assert scored.equals(pq.read_table(theirs / "predictions" / "test.parquet"))
    assert verbs.evaluate(run, resamples=20).to_json() == made.said["evaluate"]
    looked = verbs.explain(made.folder / "runs" / MODELS[1], samples, requests=5, out=tmp_path / "explain")
    assert looked.model_dump(mode="json") == made.said["explain"]


@pytest.mark.parametrize("name", verbs.__all__)
def test_a_verb_and_its_twin_have_the_same_defaults(name: str) -> None:
    """An argument of one name has one default, however the verb is called."""
    (called,) = (vars(part)[name] for part in (cli.data, cli.runs, cli.showing) if name in vars(part))
    functions = called, getattr(verbs, name)
    on_screen, in_python = (inspect.signature(function).parameters for function in functions)
    empty = (None, "", (), inspect.Parameter.empty)
    for argument in on_screen.keys() & in_python.keys():
        one, other = on_screen[argument].default, in_python[argument].default
        assert one == other or (one in empty and other in empty), argument


def test_every_verb_takes_json_and_quiet_and_explains_its_arguments() -> None:
    for verb in ("demo", "logs simulate", "logs import", "logs check", "study", *VERBS):
        shown = corank(*verb.split(), "--help")
        assert shown.exit_code == 0
        assert {"--json", "--quiet"} <= set(shown.stdout.split()), verb


def test_a_study_without_time_prepares_and_says_that_nothing_is_done(tmp_path: Path) -> None:
    options = ("--quick", "--set", "searches=500", "--minutes", "0", "--quiet")
    told = corank("study", "widths", tmp_path / "study", *options, "--json")
    assert (told.exit_code, told.stderr) == (0, "")
    said = json.loads(told.stdout)
    assert (said["study"], said["complete"], said["note"][:9]) == ("widths", False, "Simulated")
    assert all(one["seeds"] == 0 for one in said["conditions"])
    shown = corank("study", "widths", tmp_path / "study", *options)
    assert "the same command goes on" in shown.stdout
    both = corank("study", "codesign", tmp_path / "other", "--quick", "--full")
    assert (both.exit_code, both.stdout) == (2, "")
    assert both.stderr == "corank: study: --quick and --full are two presets; give one of them\n"
    wrong = corank("study", "codesing", tmp_path / "other", "--quick")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "corank: unknown study 'codesing'; did you mean 'codesign'?\n",
    )
    assert not (tmp_path / "other").exists()


def test_tables_on_the_screen_hold_no_broken_word(made: Made, tmp_path: Path) -> None:
    run = made.folder / "runs" / MODELS[0]
    shown = corank("evaluate", run, "--resamples", 20, "--quiet")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert all(
        f"{space} items" in shown.stdout for space in ("exposed", "unexposed", "entire", "all_channels")
    )
    assert {"gauc", "ndcg@10", "calibration", "cold_items"} <= set(shown.stdout.split())
    shown = corank("compare", run, made.folder / "runs" / MODELS[1], "--resamples", 20, "--quiet")
    assert {"gauc", *MODELS} <= set(shown.stdout.split())
    shutil.copytree(run, tmp_path / "again")
    shown = corank("compare", run, tmp_path / "again", "--resamples", 20, "--quiet")
    assert f"{MODELS[0]}, again" in shown.stdout, "runs of one model are told by their folders"
    for folder in ("logs", "samples"):
        shown = corank("audit", made.folder / folder, "--quiet")
        assert (shown.exit_code, shown.stderr) == (0, "")
        assert {"unexposed", "candidates", "decile"} <= set(shown.stdout.split())
        assert ", of a simulated log" in shown.stdout
        assert f"A page with plots: corank audit {made.folder / folder} --out audit.html" in shown.stdout
    assert "Every rule holds." in corank("logs", "check", made.folder / "logs", "--quiet").stdout


def test_progress_goes_to_standard_error(made: Made, tmp_path: Path) -> None:
    run = made.folder / "runs" / MODELS[0]
    loud = corank("predict", run, made.folder / "samples", tmp_path / "p.parquet", "--json")
    assert "predict: " in loud.stderr
    assert set(json.loads(loud.stdout)) == {"path"}


def test_the_installed_command_is_this_one() -> None:
    """In a process of its own: what it prints, and what no test runner catches."""
    done = subprocess.run(
        [sys.executable, "-m", "corank", "train", "nowhere", "run"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "corank: nowhere: no such samples folder; make one with: corank samples LOGS OUT\n"
    assert corank("--version").stdout == f"corank {package.__version__}\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("Query interrupted")])
def test_an_interrupt_is_a_sentence(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where DuckDB, at work when the signal came, makes another error of it."""

    def stopped() -> None:
        raise error

    with pytest.raises(typer.Exit) as ended:
        guarded(stopped)()
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == "corank: interrupted; nothing finished is lost\n"


def test_a_second_interrupt_does_not_disturb_the_first(tmp_path: Path) -> None:
    """Sent while the log is simulated and, again and again, while the first is answered."""
    command = [sys.executable, "-m", "corank", "logs", "simulate", str(tmp_path / "logs"), "--size", "m"]
    with interrupts.heard():
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.readline()  # at work
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
    said += process.stderr.read()
    process.stderr.close()
    assert (process.returncode, said.count("corank: interrupted")) == (130, 1)
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_run_finds_its_samples_from_any_folder(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.folder)
    document("train", "samples", tmp_path / "run", "--model", MODELS[0], *SET)
    monkeypatch.chdir(tmp_path)
    assert document("evaluate", "run", "--resamples", 20) == made.said["evaluate"]


def test_an_evaluation_on_other_samples_is_not_lost(made: Made, tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "exposed"
    shutil.copytree(made.folder / "runs" / MODELS[0], run)
    document("samples", made.folder / "logs", other, "--recipe", "exposed")
    held = (run / "evaluation" / "test.json").read_bytes()
    assert "test.json: holds an evaluation on other samples" in refusal("evaluate", run, other)
    assert (run / "evaluation" / "test.json").read_bytes() == held
    document("evaluate", run, "--resamples", 20)  # on its own again: not refused
    assert (run / "evaluation" / "test.json").read_bytes() == held
    found = document("evaluate", run, other, "--resamples", 2, "--overwrite")
    assert found["samples"] == json.loads((other / "manifest.json").read_text())["fingerprint"]
