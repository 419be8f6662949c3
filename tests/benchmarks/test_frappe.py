"""The Frappe study: the committed rows are a whole study of today's sizes; a small study is resumed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("optuna", reason="needs the extra 'bench'")

import ctr
import frappe
from tuning import FINAL, TRIAL, read_runs


def test_the_committed_rows_are_a_whole_study() -> None:
    """Of the sizes and the recipe as they stand, and the committed summary is theirs."""
    whole = frappe.study()
    assert all(whole.complete(model) for model in frappe.MODELS)
    with frappe.SUMMARY.open(newline="") as stream:
        kept = {row["model"]: row for row in csv.DictReader(stream)}
    made = {row["model"]: row for row in frappe.summarised(whole)}
    assert kept.keys() == made.keys() == frappe.MODELS.keys()
    for model, row in made.items():
        for name in ("test_auc", "test_auc_low", "over_rankmixer", "published_auc"):
            assert kept[model][name] == ("" if row[name] is None else str(row[name])), (model, name)


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
    runs = read_runs(frappe.RUNS)
    assert [run.kind for run in runs] == [TRIAL, FINAL, FINAL, FINAL]
    assert [run.seed for run in runs] == [0, 1, 2, 3]
    assert min(run.test["auc"] for run in runs) > 0.9
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
