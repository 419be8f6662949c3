"""The report is one whole file that fetches nothing, escapes everything and says what is missing."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.report.pages import Page, sections

from corank.errors import CorankError
from corank.report import report

Make = Callable[..., Path]


def test_several_runs(make_run: Make, make_samples: Make, tmp_path: Path) -> None:
    make_run("a", "dcnv2_s", noise=3.0)
    make_run("b-0", "unimixer_lite_s", seed=0, noise=0.1, mixing=32)
    make_run("b-1", "unimixer_lite_s", seed=1, noise=0.2)
    make_samples()
    path = report(tmp_path / "runs")
    assert path == tmp_path / "runs" / "report.html"
    page = Page(path)
    assert sections(page) == ["headline", "data", "training", "metrics", "scores", "mixing", "facts"]
    assert "mean of seeds 0, 1" in page.words
    assert ", better" in page.words
    assert "1,234" in page.words
    titles = re.findall(r"unimixer_lite_s, layer \d(?:, by token)?", page.words)
    assert sorted(set(titles)) == [
        f"unimixer_lite_s, layer {number}{by}" for number in (1, 2) for by in ("", ", by token")
    ]


def test_nothing_is_fetched_and_every_picture_has_words(make_run: Make, tmp_path: Path) -> None:
    page = Page(report(make_run("one", mixing=4), tmp_path / "deep" / "page.html"))
    assert not page.all("script")
    assert not page.all("link")
    images = page.all("img")
    assert len(images) == 7
    for image in images:
        assert len(str(image["alt"])) > 30
        kind, _, data = str(image["src"]).partition(",")
        assert kind == "data:image/svg+xml;base64"
        drawing = base64.b64decode(data)
        assert b"<script" not in drawing
        links = re.findall(rb'(?:href|src)="([^"]*)"', drawing)
        assert all(link.startswith((b"#", b"data:image/png")) for link in links)
    for link in page.all("a"):
        assert str(link["href"]).removeprefix("#") in sections(page)


def test_the_same_runs_give_the_same_page(make_run: Make, tmp_path: Path) -> None:
    run = make_run("one", mixing=4)
    pages = [report(run, tmp_path / name).read_bytes() for name in ("first.html", "second.html")]
    assert pages[0] == pages[1]


def test_names_from_outside_are_only_text(make_run: Make) -> None:
    name = "<script>alert(1)</script>$x^2$\"'&"
    run = make_run("run", model=name, mixing=4)
    facts = json.loads((run / "run.json").read_text())
    facts["versions"] = {"</pre><img src=x onerror=alert(1)>": "1"}
    facts["parameters"] = {"<b>part</b>": "many", "total": 5}
    facts["best_metric"] = {"name": "<i>gauc</i>", "value": "high"}
    (run / "run.json").write_text(json.dumps(facts))
    page = Page(report(run))
    assert not page.all("script")
    assert not page.all("b")
    assert not page.all("i")
    assert all(str(image["src"]).startswith("data:") for image in page.all("img"))
    assert name in page.words
    assert "onerror=alert(1)" in page.words


def test_what_is_missing_is_said(make_run: Make, tmp_path: Path) -> None:
    run = make_run("bare", evaluated=False)
    (run / "steps.jsonl").unlink()
    (run / "config.json").unlink()
    page = Page(report(run))
    assert sections(page) == ["headline", "data", "training", "metrics", "facts"]
    assert "run 'corank evaluate' on them" in page.words
    assert "No run here has a log of steps." in page.words
    make_run("full")
    assert "Not evaluated yet: dcnv2_s (bare)." in Page(report(tmp_path / "runs")).words


def test_runs_on_other_rows_stand_alone(make_run: Make, tmp_path: Path) -> None:
    make_run("a", "dcnv2_s")
    make_run("b", "rankmixer_s", requests=30)
    words = Page(report(tmp_path / "runs")).words
    assert "No difference is shown: " in words
    assert "120 and 160 rows" not in words
    assert "240 and 320 rows" in words
    assert ", better" not in words


def test_samples_are_those_of_the_runs(make_run: Make, make_samples: Make, tmp_path: Path) -> None:
    run = make_run("run", evaluated=False)
    make_samples("runs/other", fingerprint="0" * 64)
    assert "were not found" in Page(report(run)).words
    beside = make_samples("runs/right")
    assert "77 items" in Page(report(run)).words
    beside.rename(tmp_path / "moved")
    assert "77 items" in Page(report(run, samples=tmp_path / "moved")).words


def test_a_half_written_log_is_read(make_run: Make) -> None:
    run = make_run("run", evaluated=False)
    with (run / "steps.jsonl").open("a") as stream:
        stream.write('{"kind": "step", "st')
    assert "Training loss" in Page(report(run)).words
    with (run / "steps.jsonl").open("a") as stream:
        stream.write('\n{"kind": "step", "step": 40, "loss": 1}\n')
    with pytest.raises(CorankError, match=r"steps.jsonl: line 34 is not a JSON object"):
        report(run)


def test_what_cannot_be_reported(make_run: Make, tmp_path: Path) -> None:
    with pytest.raises(CorankError, match="no such folder"):
        report(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorankError, match=r"holds no run.json"):
        report(tmp_path / "empty")
    run = make_run("run", evaluated=False)
    with pytest.raises(CorankError, match="no such samples folder"):
        report(run, samples=tmp_path / "nowhere")
    (run / "mixing.safetensors").write_text("not that")
    with pytest.raises(CorankError, match="not readable as safetensors"):
        report(run)
    save_file({"block_0": np.ones((2, 3), dtype=np.float32)}, run / "mixing.safetensors")
    with pytest.raises(CorankError, match="'block_0' is not a square matrix"):
        report(run)
    assert not (run / "report.html").exists()
