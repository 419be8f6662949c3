"""The Frappe study: what runs next is a function of the rows there are; what counts; a whole small study."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("optuna", reason="needs the extra 'bench'")

import ctr
import frappe
from frappe import FINAL, TRIAL, Job, Run


def finished(job: Job, valid: float, test: float = 0.9) -> Run:
    return Run(
        job.model,
        "",
        json.dumps(job.drawn),
        job.seed,
        job.kind,
        job.number,
        valid,
        test,
        0.2,
        10,
        20,
        1.0,
        3,
        "",
    )


def study(model: str, trials: int, done: list[Run]) -> list[Run]:
    """Run to the end; how good a trial is depends on its settings alone."""
    runs = list(done)
    while job := frappe.following(model, trials, runs):
        runs.append(finished(job, valid=1 - abs(math.log(job.drawn["optimizer.lr"] / 3e-3)) / 10))
    return runs


def test_a_study_goes_on_from_any_of_its_rows() -> None:
    """Wherever it was broken off, and whatever other models did meanwhile, the rest is the same."""
    whole = study("dcnv2", 6, [])
    assert [run.kind for run in whole] == [TRIAL] * 6 + [FINAL] * 5
    other = study("fm", 2, [])
    for cut in range(len(whole)):
        assert study("dcnv2", 6, [*other, *whole[:cut]])[len(other) :] == whole


def test_the_best_trial_on_valid_is_trained_with_fresh_seeds() -> None:
    runs = study("dlrm_mlp", 5, [])
    trials, finals = runs[:5], runs[5:]
    best = max(trials, key=lambda run: run.valid_auc)
    assert {run.settings for run in finals} == {best.settings}
    assert [run.seed for run in finals] == [1, 2, 3]
    assert {run.seed for run in trials} == {0}
    assert len({run.settings for run in trials}) == 5


def test_more_trials_may_be_asked_for_later() -> None:
    """The trials that are there are kept; runs of a setting that is no longer the best do not count."""
    first = study("fm", 3, [])
    more = study("fm", 9, first)
    assert more[: len(first)] == first
    trials = [run for run in more if run.kind == TRIAL]
    assert [run.number for run in trials] == list(range(9))
    best = max(trials, key=lambda run: run.valid_auc)
    (row,) = frappe.summary(more, 9)
    counted = [run for run in more if run.kind == FINAL and run.settings == best.settings]
    assert (row["seeds"], row["complete"]) == (len(counted), True) == (3, True)


def test_a_summary_is_of_final_runs_alone() -> None:
    job = Job("deepfm", TRIAL, 0, 0, {"optimizer.lr": 1e-3})
    runs = [finished(job, 0.98, test=0.5)]
    values = [0.981, 0.983, 0.985]
    runs += [
        finished(Job("deepfm", FINAL, 0, seed, job.drawn), 0.98, test=value)
        for seed, value in enumerate(values, 1)
    ]
    (row,) = frappe.summary(runs, 1)
    assert (row["seeds"], row["complete"]) == (3, False)
    assert (row["test_auc"], row["test_auc_sd"]) == (0.983, 0.002)
    half = 4.302653 * 0.002 / math.sqrt(3)
    assert row["test_auc_low"] == pytest.approx(0.983 - half, abs=1e-5)
    assert row["test_auc_high"] == pytest.approx(0.983 + half, abs=1e-5)


def write_table(path: Path, rows: int, seed: int, users: int) -> None:
    g = np.random.default_rng(seed)
    user, item = g.integers(0, users, rows), g.integers(0, 7, rows)
    table = {"label": (user % 2 == item % 2).astype(np.int64), "user": user + 100, "item": item}
    pq.write_table(pa.table(table), path)


def test_a_small_study_is_written_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a table that can be learnt; the second call finds nothing left to do."""
    for seed, (split, rows) in enumerate([("train", 30_000), ("valid", 500), ("test", 500)]):
        write_table(tmp_path / f"{split}.parquet", rows, seed, users=8)
    monkeypatch.setattr(frappe, "RUNS", tmp_path / "runs.csv")
    monkeypatch.setattr(frappe, "SUMMARY", tmp_path / "summary.csv")
    monkeypatch.setattr(
        "sys.argv", ["frappe.py", "--data", str(tmp_path), "--models", "dlrm_mlp", "--trials", "1"]
    )
    frappe.main()
    runs = frappe.recorded()
    assert [run.kind for run in runs] == [TRIAL, FINAL, FINAL, FINAL]
    assert min(run.test_auc for run in runs) > 0.9
    before = frappe.RUNS.read_bytes(), frappe.SUMMARY.read_bytes()
    frappe.main()
    assert (frappe.RUNS.read_bytes(), frappe.SUMMARY.read_bytes()) == before


def test_codes_are_those_of_the_training_split(tmp_path: Path) -> None:
    """A value that training has not seen is code 1; every field counts its values from 2."""
    for split, users in (("train", 4), ("valid", 4), ("test", 9)):
        write_table(tmp_path / f"{split}.parquet", 200, 0, users)
    data = ctr.read(tmp_path)
    assert [(field.name, field.cardinality) for field in data.schema.sample.ids] == [("user", 6), ("item", 9)]
    assert set(data.train.codes[:, 0].tolist()) == {2, 3, 4, 5}
    assert set(data.test.codes[:, 0].tolist()) == {1, 2, 3, 4, 5}
