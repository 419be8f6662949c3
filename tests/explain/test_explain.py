"""The verb from a run to a page: what it says, where it goes, what the report takes from it, refusals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from tests.cli import corank, document, refusal
from tests.report.pages import Page, sections

from corank import verbs
from corank.errors import CorankError
from corank.explain import Explanation
from corank.features.reader import Reader, ReaderConfig
from corank.report import report
from corank.training.run import Run

SETTINGS = ("epochs=1", "reader.batch_samples=512", "optimizer.warmup_steps=5")


@pytest.fixture(scope="module")
def folder(market_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of a model with learned mixing, and of one without any."""
    at = tmp_path_factory.mktemp("explain")
    few = at / "few.yaml"
    few.write_text(
        "fields:\n"
        "  - {column: device, kind: id, source: request, group: context}\n"
        "  - {column: category, kind: id, source: item, group: item}\n"
        "  - {column: retrieval_score, kind: number, source: list, group: item}\n"
    )
    for name, model, spec in (
        ("mixer", "unimixer_xs", None),
        ("dcn", "dcnv2_xs", None),
        ("few", "dcnv2_xs", few),
    ):
        verbs.train(market_samples, at / name, model, settings=SETTINGS, features=spec)
    return at


@pytest.fixture(scope="module")
def request_id(market_samples: Path) -> str:
    """A request of the last row group of the split."""
    return str(pq.read_table(market_samples / "valid", columns=["request_id"])["request_id"][-1])


def test_scores_are_those_of_predictions(
    folder: Path, market_samples: Path, request_id: str, tmp_path: Path
) -> None:
    """Of every item of a request: score, place, label; and contributions that sum to it."""
    table = pq.read_table(verbs.predict(folder / "mixer", market_samples, tmp_path / "p.parquet", "valid"))
    rows = [row for row in table.to_pylist() if str(row["request_id"]) == request_id]
    items = [str(row["item_id"]) for row in rows]
    found = verbs.explain(
        folder / "mixer", requests=20, request=request_id, items=items, out=tmp_path / "out"
    ).request
    assert found is not None
    assert [item.item_id for item in found.items] == items
    for item, row in zip(found.items, rows, strict=True):
        assert item.score == pytest.approx(row["score"], abs=1e-5)
        assert (item.exposed, item.clicked) == (row["exposed"], bool(row["label_click"]))
        assert item.place == 1 + sum(other["score"] > row["score"] for other in rows)
        total = sum(group.gradients for group in item.groups)
        assert total == pytest.approx(item.logit - item.baseline_logit, abs=1e-3)
        for group in item.groups:
            assert sum(field.gradients for field in group.fields) == pytest.approx(group.gradients, abs=1e-6)
    assert len({round(item.baseline_logit, 5) for item in found.items}) == 1
    best = verbs.explain(folder / "mixer", requests=20, request=request_id, out=tmp_path / "best").request
    assert best is not None
    assert [item.place for item in best.items] == [1, 2, 3]


@pytest.mark.parametrize("baseline", ["mean", "missing"])
def test_the_baseline_is_what_it_says(
    folder: Path, market_samples: Path, request_id: str, tmp_path: Path, baseline: str
) -> None:
    """The mean embedding of the requests read, or that of nothing known: scored anew with the model."""
    found = verbs.explain(
        folder / "dcn", requests=7, request=request_id, baseline=baseline, out=tmp_path / "out"
    )
    model = Run(folder / "dcn").model()
    assert found.request is not None
    assert (found.request.baseline, found.requests) == (baseline, 7)
    if baseline == "missing":
        return  # held by the tests of ablation
    reader = Reader(market_samples, Run(folder / "dcn").features(), "valid", ReaderConfig(batch_samples=1))
    batches = [batch for batch, _ in reader.batches()][:7]
    with torch.no_grad():
        embedded = [model.embedding(batch) for batch in batches]
        requests = torch.cat([request for request, _ in embedded])
        samples = torch.cat([sample for _, sample in embedded])
        zero = torch.zeros(1, dtype=torch.int64)
        z = model.represent(requests.mean(0, keepdim=True), samples.mean(0, keepdim=True), zero)
        logit = float(model.heads["click"](z))
    assert len(requests) == 7
    assert found.request.items[0].baseline_logit == pytest.approx(logit, abs=1e-4)


def test_a_run_is_told_on_the_screen_as_json_and_as_a_page(
    folder: Path, request_id: str, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(folder / "mixer", run)
    shown = corank("explain", run, "--requests", 10, "--request", request_id, "--group", "item", "--quiet")
    assert (shown.exit_code, shown.stderr) == (0, "")
    for words in (
        "mixing, kept weights, of a simulated log",
        "Mixing over training",
        "Hidden states of",
        "sum (the",
    ):
        assert words in shown.stdout
    assert "retrieval_score" in shown.stdout
    assert f"Page: {run / 'explain' / 'explain.html'}" in shown.stdout
    page = Page(run / "explain" / "explain.html")
    assert sections(page) == ["short", "mixing", "layers", "groups", "request", "method"]
    assert "Its log is a simulation." in page.words
    titles = ("layer 1, between blocks", "layer 1, inside blocks", "by what tokens hold", "by token")
    assert all(title in page.words for title in titles)
    for image in page.all("img"):
        assert str(image["src"]).startswith("data:image/svg+xml;base64,")
        assert len(str(image["alt"])) > 30
    assert not page.all("script")
    said = document("explain", run, "--requests", 10, "--request", request_id, "--group", "item")
    kept = json.loads((run / "explain" / "explain.json").read_text())
    assert said == kept
    assert Explanation.parse(kept).model_dump(mode="json") == kept
    assert [moment["tau"] for moment in kept["training"]] == sorted(
        (moment["tau"] for moment in kept["training"]), reverse=True
    )


def test_the_report_has_the_same_sections_where_they_are(
    folder: Path, request_id: str, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    for name in ("mixer", "dcn"):
        shutil.copytree(folder / name, runs / name)
    assert "mixing" in sections(Page(report(runs)))
    assert not {"layers", "groups", "request"} & set(sections(Page(report(runs))))
    verbs.explain(runs / "mixer", requests=10)
    assert {"mixing", "layers", "groups"} <= set(sections(Page(report(runs))))
    verbs.explain(runs / "dcn", requests=10, request=request_id)
    page = Page(report(runs))
    assert {"layers", "groups", "request"} <= set(sections(page))
    assert f"dcnv2_xs, request {request_id}" in page.words


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda d: d.pop("layers"), r"'layers'.*: field required"),
        (
            lambda d: d["layers"][0].update(order=[0, 2]),
            "order of a permutation does not name every row once",
        ),
        (lambda d: d["layers"][0]["by_token"]["values"].pop(), "shares, their names .* do not fit"),
        (lambda d: d["layers"][0]["by_group"]["even"].insert(0, 0.0), "shares, their names .* do not fit"),
        (lambda d: d["layers"][0].update(sise=3), "unknown key 'sise' in 'layers.0'"),
    ],
)
def test_a_damaged_document_is_refused_by_the_report(
    folder: Path, tmp_path: Path, damage: Callable[[Any], object], sentence: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(folder / "mixer", run)
    verbs.explain(run, requests=0)
    path = run / "explain" / "explain.json"
    values = json.loads(path.read_text())
    damage(values)
    path.write_text(json.dumps(values))
    with pytest.raises(CorankError, match=f"explain.json: .*{sentence}"):
        report(run)


def test_a_model_without_matrices_says_so_in_a_line(folder: Path, request_id: str, tmp_path: Path) -> None:
    shown = corank("explain", folder / "dcn", "--requests", 5, "--out", tmp_path / "out", "--quiet")
    said = "dcnv2_xs has no mixing layers: its fields meet in other ways, and there is no matrix to show."
    assert f"Note: {said}" in shown.stdout
    page = Page(tmp_path / "out" / "explain.html")
    assert sections(page) == ["short", "method"]
    assert said in page.words
    found = verbs.explain(folder / "dcn", requests=5, request=request_id, out=tmp_path / "with")
    assert (found.layers, found.tokens, found.training) == ((), (), ())
    assert sections(Page(tmp_path / "with" / "explain.html")) == ["short", "request", "method"]


def test_matrices_need_no_samples(folder: Path, tmp_path: Path) -> None:
    """A run whose samples are gone: without requests its matrices are told all the same."""
    run = tmp_path / "run"
    shutil.copytree(folder / "mixer", run)
    facts = json.loads((run / "run.json").read_text())
    facts["samples"]["path"] = str(tmp_path / "nowhere")
    (run / "run.json").write_text(json.dumps(facts))
    with pytest.raises(CorankError, match="nowhere: no such samples folder"):
        verbs.explain(run)
    found = verbs.explain(run, requests=0)
    assert (found.requests, found.simulated, len(found.layers), len(found.training)) == (0, None, 1, 6)
    assert sections(Page(run / "explain" / "explain.html")) == [
        "short",
        "mixing",
        "layers",
        "groups",
        "method",
    ]


def test_an_older_run_without_pictures_is_told(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(folder / "mixer", run)
    shutil.rmtree(run / "mixing")
    found = verbs.explain(run, requests=0)
    assert found.training == ()
    assert "No pictures over training were kept of this run" in found.notes[0]


def test_what_stands_elsewhere_is_not_replaced_unless_told(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    verbs.explain(folder / "dcn", requests=5, out=out)
    before = (out / "explain.html").stat().st_mtime_ns
    assert "already exists" in refusal("explain", folder / "dcn", "--out", out)
    assert (out / "explain.html").stat().st_mtime_ns == before
    verbs.explain(folder / "dcn", requests=5, out=out, overwrite=True)
    assert (out / "explain.html").stat().st_mtime_ns != before


def test_a_group_that_the_model_has_no_input_of_is_named(folder: Path, request_id: str) -> None:
    sentence = refusal("explain", folder / "few", "--request", request_id, "--group", "query")
    assert sentence.endswith("group 'query' has no input in this model; expected one of context, item")
    assert not (folder / "few" / "explain").exists()


def test_a_damaged_picture_stops_it_and_nothing_is_written(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(folder / "mixer", run)
    picture = next((run / "mixing").glob("step-*"))
    picture.write_bytes(picture.read_bytes()[:100])
    assert "not readable as safetensors" in refusal("explain", run, "--requests", 0)
    assert not (run / "explain").exists()
