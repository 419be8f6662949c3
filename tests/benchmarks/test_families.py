"""The study of families: every family is in it, seeds are as promised, tables show what is complete."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="needs the extra 'bench'")

import ablations
import families
import families_table
from corank.models.registry import FAMILIES, model_config
from families_tasks import FLOPS_ALONE, OF_DOMAINS, TASKS


def test_every_family_is_in_both_tasks() -> None:
    for task in TASKS.values():
        assert {model.removesuffix("-flops") for model in task.models} | OF_DOMAINS == set(FAMILIES)
        assert not OF_DOMAINS & set(task.models)
        assert set(task.models) >= FLOPS_ALONE


@pytest.mark.parametrize("task", TASKS)
def test_sizes_are_settings_that_exist(task: str) -> None:
    for size in TASKS[task].models.values():
        assert model_config(size.name, size.settings)
    for family, changes in ablations.CHANGES.items():
        for change in changes.values():
            assert model_config(f"{change.family or family}_s", change.settings)


def test_five_seeds_where_it_counts() -> None:
    five = {model for model in TASKS["trivago"].models if families.seeds(model) == 5}
    mixers = {"unimixer", "unimixer_lite", "unimixer_lite_factored"}
    assert five == {*mixers, *(f"{model}-flops" for model in mixers), "rankmixer", "dcnv2", "deepfm"}
    assert {families.seeds(model) for model in set(TASKS["trivago"].models) - five} == {3}


def row(model: str, complete: bool, parameters: int, flops: int, over: str = "") -> dict[str, str]:
    ends = {f"over_rankmixer{end}": over for end in ("", "_low", "_high")}
    size = {"dense_parameters": str(parameters), "flops_a_sample": str(flops)}
    return {"task": "trivago", "model": model, "complete": str(complete), "test_mrr": "0.62"} | size | ends


def test_the_table_shows_complete_rows_at_equal_size() -> None:
    rows = [
        row("rankmixer", True, 100, 100),
        row("unimixer", True, 101, 140, "0.001"),
        row("unimixer-flops", True, 60, 99, "-0.002"),
        row("unimixer_lite", True, 100, 104, "0.006"),
        row("unimixer_lite-flops", True, 96, 100, "-0.007"),
        row("dlrm_mlp", True, 95, 105, "0.003"),
        row("fat", True, 100, 200, "0.004"),
        row("dcnv2", False, 100, 100, "0.005"),
    ]
    lines = families_table.table(rows)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[2:] == [
        ["`rankmixer`", "0.6200", "0.6200"],
        ["`unimixer`", "+0.0010 [+0.0010, +0.0010]", "-0.0020 [-0.0020, -0.0020]"],
        ["`unimixer_lite`", "+0.0060 [+0.0060, +0.0060]", "-0.0070 [-0.0070, -0.0070]"],
        ["`dlrm_mlp`", "+0.0030 [+0.0030, +0.0030]", "+0.0030 [+0.0030, +0.0030]"],
        ["`fat`", "+0.0040 [+0.0040, +0.0040]", ""],
    ]


def test_the_readme_has_the_csv() -> None:
    shown = (families.SUMMARY.parents[1] / "README.md").read_text(encoding="utf-8")
    assert "\n".join(families_table.table(families_table.read(families.SUMMARY))) in shown


def test_rows_of_a_task_that_is_not_here_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A summary made where no samples are loses nothing."""
    monkeypatch.setattr(families, "SUMMARY", tmp_path / "families.csv")
    monkeypatch.setattr(families, "RUNS", tmp_path / "runs.csv")
    for task in TASKS.values():
        monkeypatch.setitem(TASKS, task.name, replace(task, folder=tmp_path / task.name))
    with families.SUMMARY.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["task", "model"])
        writer.writeheader()
        writer.writerows([{"task": "trivago", "model": "fm"}, {"task": "marketplace", "model": "fm"}])
    monkeypatch.setattr("sys.argv", ["families.py"])
    families.main()
    with families.SUMMARY.open(newline="") as stream:
        assert {(one["task"], one["model"]) for one in csv.DictReader(stream)} == {
            ("trivago", "fm"),
            ("marketplace", "fm"),
        }
