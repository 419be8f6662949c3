"""The README's example runs, and its table says what the CSV says."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a smaller marketplace and with smaller models: nothing else is changed."""
    code = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)[0]
    assert 'size="s"' in code
    code = code.replace('size="s"', 'settings=("requests=300",)').replace('_s"', '_xs"')
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert len(page) > 50_000
    assert "This log is a simulation" in page


def table(first: str) -> list[list[str]]:
    """Cells of the README's table whose header begins with `first`, code marks gone."""
    lines = README.partition(f"\n{first}")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def results(name: str) -> list[dict[str, str]]:
    with (ROOT / "results" / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_table_is_the_csv() -> None:
    rows = {row["model"]: row for row in results("trivago.csv")}
    shown = table("| model | MRR |")
    assert len(shown) == len(rows)
    for name, value, *_ in shown:
        assert value == f"{float(rows[name]['test_mrr']):.4f}"


def test_the_table_of_recipes_is_the_csv() -> None:
    rows = {
        (row["model"], row["condition"]): row
        for row in results("trivago_recipes.csv")
        if row["comparison"] == "chosen"
    }
    shown = table("| model | exposed |")
    assert len(shown) * 4 == len(rows)
    for model, mrr, *gains in shown:
        assert mrr == f"{float(rows[model, 'exposed']['test_mrr']):.4f}"
        for condition, gain in zip(("attributed", "unexposed", "unexposed + attributed"), gains, strict=True):
            row = rows[model, condition]
            value, low, high = (float(row[name]) for name in ("over_exposed", "low", "high"))
            assert gain == f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"


def test_the_table_of_families_shows_complete_rows_of_the_csv() -> None:
    """Rows may be added as the study goes on; those shown are complete, and are what the CSV says."""
    rows = {(row["task"], row["model"]): row for row in results("families.csv")}
    columns = [
        (task, metric, of)
        for task, metric in (("marketplace", "test_gauc"), ("trivago", "test_mrr"))
        for of in ("dense_parameters", "flops_a_sample")
    ]
    shown = table("| model | marketplace (simulated), GAUC, at equal parameters |")
    assert shown
    for model, *cells in shown:
        for (task, metric, of), cell in zip(columns, cells, strict=True):
            base = rows[task, "rankmixer"]
            alike = [
                row
                for name in (
                    (model, f"{model}-flops") if of != "flops_a_sample" else (f"{model}-flops", model)
                )
                if (row := rows.get((task, name))) and abs(float(row[of]) / float(base[of]) - 1) < 0.13
            ]
            if not cell:
                assert not alike
                continue
            assert alike[0]["complete"] == "True"
            if model == "rankmixer":
                assert cell == f"{float(alike[0][metric]):.4f}"
            else:
                value, low, high = (float(alike[0][f"over_rankmixer{end}"]) for end in ("", "_low", "_high"))
                assert cell == f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"


_, RANKMIXER_ES3, HHSFT, HHSFT_ES3 = (
    f"{model}, {recipe}" for model in ("rankmixer", "hhsft") for recipe in ("exposed", "es3")
)


@pytest.mark.parametrize(
    ("file", "size", "over", "step", "words"),
    [
        ("codesign", "s", RANKMIXER_ES3, HHSFT_ES3, "(HHSFT over it: purchases {}, size `s`)"),
        ("codesign_apart", "s", HHSFT, HHSFT_ES3, "(over itself, at `s`, {} of purchases)"),
        ("codesign_apart", "s", RANKMIXER_ES3, HHSFT_ES3, "sells less than RankMixer at `s` (purchases {};"),
    ],
)
def test_what_users_would_do_is_the_csv(file: str, size: str, over: str, step: str, words: str) -> None:
    rows = {
        row["measure"]: row
        for row in results(f"{file}_abtest.csv")
        if (row["run_a"], row["run_b"], row["size"], row["seed"]) == (over, step, size, "mean")
    }
    told = []
    for measure in ("purchases", "money"):
        value, low, high = (f"{float(rows[measure][end]):+.1f}" for end in ("percent", "low", "high"))
        told.append(f"{value} % [{low}, {high}]")
    assert words.format(*told) in README
