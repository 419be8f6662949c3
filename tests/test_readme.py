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


def test_the_table_is_the_csv() -> None:
    with (ROOT / "results" / "trivago.csv").open(newline="") as stream:
        rows = {row["model"]: row for row in csv.DictReader(stream)}
    table = re.findall(r"^\| `?([\w ]+?)`? \| ([\d.]+) \|", README, flags=re.MULTILINE)
    assert len(table) == len(rows)
    for name, value in table:
        assert value == f"{float(rows[name]['test_mrr']):.4f}"
