"""The simulated A/B test from runs to figures, through the public verb and the command line."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from corank import verbs
from corank.abtest.fresh_samples import fresh_samples
from corank.errors import CorankError
from corank.evaluation.abtest import ABTest
from corank.progress import QUIET
from corank.samples import read_manifest
from corank.training.run import Run
from tests.cli import corank, document, refusal
from tests.report.pages import Page, sections

FEW = ("reader.batch_samples=1024", "optimizer.warmup_steps=2")
MEASURES = ("clicks", "purchases", "money")


@dataclass(frozen=True)
class Runs:
    """Two runs on a simulated log, and the figures of a test of them."""

    log: Path
    samples: Path
    a: Path
    b: Path
    test: ABTest

    @property
    def out(self) -> Path:
        """What the test wrote."""
        return self.a.parent / "out"

    def again(self, **other: Any) -> ABTest:
        """The same test, but for what is given."""
        arguments: dict[str, Any] = {"days": 2, "resamples": 200, **other}
        return verbs.abtest(self.a, self.b, self.log, **arguments)


@pytest.fixture(scope="module")
def runs(market_logs: Path, market_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    at = tmp_path_factory.mktemp("abtest")
    verbs.train(market_samples, at / "a", "dlrm_mlp_xs", settings=(*FEW, "epochs=1"))
    tasks = "model.tasks=[click,purchase]"
    verbs.train(market_samples, at / "b", "rankmixer_xs", settings=(*FEW, "epochs=2", tasks))
    test = verbs.abtest(at / "a", at / "b", market_logs, days=2, resamples=200, out=at / "out")
    return Runs(market_logs, market_samples, at / "a", at / "b", test)


def values(test: ABTest, arm: int, measure: str, way: str = "expected") -> float:
    value = test.arms[arm].values[way][measure].value
    assert value is not None
    return value


def test_a_run_against_itself_differs_by_exactly_nothing(runs: Runs) -> None:
    """And by another task's score than before it is another order."""
    test = verbs.abtest(runs.b, runs.b, runs.log, days=2, draws=3, task="purchase", resamples=50)
    assert test.arms[1].shared == 1
    for way in ("expected", "drawn"):
        for measure in MEASURES:
            effect = test.arms[1].effects[way][measure]
            gap = effect.difference
            assert (gap.value, gap.low, gap.high, gap.above_zero) == (0, 0, 0, 0.5)
            assert values(test, 0, measure, way) == values(test, 1, measure, way)
    assert (test.setup.task, runs.test.setup.task) == ("purchase", "click")
    assert values(test, 2, "clicks") == values(runs.test, 2, "clicks")
    assert values(test, 1, "clicks") != values(runs.test, 1, "clicks")


def test_the_oracle_brings_most_and_no_run_as_much(runs: Runs) -> None:
    assert [arm.key for arm in runs.test.arms] == ["A", "B", "logging", "oracle"]
    *others, oracle = (values(runs.test, arm, "purchases") for arm in range(4))
    assert oracle > 1.3 * max(others)
    gap = runs.test.arms[3].effects["expected"]["purchases"].difference
    assert gap.low is not None
    assert gap.low > 0


def test_the_orders_are_different_ones(runs: Runs) -> None:
    assert runs.test.arms[0].shared == 1
    assert all(0 < arm.shared < 0.95 for arm in runs.test.arms[1:])
    assert len({values(runs.test, arm, "clicks") for arm in range(4)}) == 4


def test_seeds_and_fewer_requests(runs: Runs, tmp_path: Path) -> None:
    """Of the first seed's requests some, with what they led to; of the next as many others."""
    test = runs.again(requests=10, seeds=2, out=tmp_path / "out")
    assert (test.setup.requests, test.setup.seeds) == (20, (0, 1))
    whole = {row["request_id"]: row for row in pq.read_table(runs.out / "requests.parquet").to_pylist()}
    rows = pq.read_table(tmp_path / "out" / "requests.parquet").to_pylist()
    assert [row["seed"] for row in rows] == [0] * 10 + [1] * 10
    expected = [name for name in rows[0] if "drawn" not in name]
    for row in rows[:10]:
        assert {name: row[name] for name in expected} == {
            name: whole[row["request_id"]][name] for name in expected
        }
    assert {row["timestamp"] for row in rows[10:]}.isdisjoint(row["timestamp"] for row in whole.values())


def test_fresh_requests_have_the_features_of_training(runs: Runs, tmp_path: Path) -> None:
    """No skew: of the log's own test requests, built again with what came after, no feature is another."""
    manifest = read_manifest(runs.samples)
    fresh = fresh_samples(runs.log, tmp_path / "samples", manifest, 2, None, 0, QUIET)
    columns = read_manifest(tmp_path / "samples").columns
    assert columns == manifest.columns
    was = pq.read_table(runs.samples / "test").sort_by("request_id")
    now = pq.read_table(tmp_path / "samples" / "valid").sort_by("request_id")
    assert was["request_id"].equals(now["request_id"])
    # What only later events tell, where a user's events begin, and ids of sessions.
    later = {"history_offset", "session_id", *(name for name in columns if name.startswith("anywhere_"))}
    later |= {"label_click", "label_purchase", "label_source", "purchase_source"}
    compared = [name for name in columns if name not in later]
    assert {"item_id", "user_touches", "item_clicks", "item_shown", "price_rank", "history_length"} < {
        *compared
    }
    for name in compared:
        assert was[name].combine_chunks().equals(now[name].combine_chunks()), name
    test = pq.read_table(tmp_path / "samples" / "test")
    assert sorted(test["request_id"].to_pylist()) == fresh.request_id_R.tolist()


def test_a_run_of_another_recipe_and_spec_is_tested_all_the_same(runs: Runs, tmp_path: Path) -> None:
    verbs.samples(runs.log, tmp_path / "es3", "es3")
    spec = verbs.features(tmp_path / "es3", tmp_path / "all.yaml")
    spec.model_copy(update={"fields": spec.fields[:6]}).write(tmp_path / "few.yaml")
    few = tmp_path / "few.yaml"
    verbs.train(tmp_path / "es3", tmp_path / "c", "dlrm_mlp_xs", settings=(*FEW, "epochs=1"), features=few)
    test = verbs.abtest(runs.a, tmp_path / "c", runs.log, days=1, resamples=5)
    assert [run["recipe"] for run in test.setup.runs] == ["unexposed", "es3"]
    assert 0 < test.arms[1].shared < 1


def test_the_command_line_says_the_same_and_writes_a_page(runs: Runs, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("abtest", runs.a, runs.b, "--truth", runs.log / "truth", "--days", 2, "--resamples", 200)
    said = document(*words, "--out", out)
    assert (
        said == json.loads(json.dumps(runs.test.to_json())) == json.loads((out / "abtest.json").read_text())
    )
    assert sorted(path.name for path in out.iterdir()) == ["abtest.json", "report.html", "requests.parquet"]
    page = Page(out / "report.html")
    assert sections(page) == ["effect", "arms", "method"]
    assert len(page.all("img")) == 1
    assert page.words.count("imulated") > 5
    rows = pq.read_table(out / "requests.parquet")
    assert rows.num_rows == said["setup"]["requests"]
    for arm in said["arms"]:
        for way, figures in arm["values"].items():
            for measure, figure in figures.items():
                mean = np.mean(rows[f"{arm['key']}_{way}_{measure}"].to_numpy())
                assert figure["value"] == pytest.approx(mean)


def test_every_table_on_the_screen_says_that_it_is_simulated(runs: Runs) -> None:
    shown = corank(
        "abtest", runs.a, runs.b, "--truth", runs.log, "--days", 1, "--resamples", 20, "--draws", 0
    )
    assert shown.exit_code == 0
    assert len(re.findall("^Simulated", shown.stdout, re.MULTILINE)) == 3
    assert {"clicks,", "purchases,", "oracle:", "logging:"} <= set(shown.stdout.split())
    assert "drawn" not in shown.stdout
    steps = set(re.findall("^(.*?): ", shown.stderr, re.MULTILINE))
    assert {"simulate on", "preparing samples", "writing samples", "predict", "users act"} == steps


def edited(runs: Runs, at: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of run B whose samples have another manifest."""
    shutil.copytree(runs.samples, at / "samples")
    path = at / "samples" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    shutil.copytree(runs.b, at / "run")
    info = json.loads((at / "run" / "run.json").read_text())
    info["samples"] |= {"path": str(at / "samples"), "fingerprint": manifest["fingerprint"]}
    (at / "run" / "run.json").write_text(json.dumps(info))
    assert Run(at / "run").exists
    return at / "run"


SAMPLES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "not simulated": (
        lambda m: m.update(simulated=False),
        r"run: its samples \(.*samples\) are not of a simulated log; expected a run on one",
    ),
    "another log": (
        lambda m: m["inputs"]["events"][0].update(footer="0" * 64),
        r"run: its samples \(.*samples\) were built from another log than .*logs; name the log",
    ),
    "no searches": (
        lambda m: m["config"].update(domains=["rec"]),
        "run: its samples have the domains rec; expected search among them",
    ),
    "other histories": (
        lambda m: m["config"].update(history_actions=["click"]),
        "run cannot rank the same requests: their samples differ in the setting 'history_actions'; build",
    ),
    "other columns": (
        lambda m: m["columns"].pop("price_rank"),
        "run cannot rank the same requests: their samples differ in the column 'price_rank'; build both",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), SAMPLES.values(), ids=SAMPLES)
def test_runs_that_do_not_belong_together_are_refused(
    runs: Runs, tmp_path: Path, change: Callable[[dict[str, Any]], Any], sentence: str
) -> None:
    run = edited(runs, tmp_path, change)
    said = refusal("abtest", runs.a, run, "--truth", runs.log, "--out", tmp_path / "out")
    assert re.search(sentence, said), said
    assert not (tmp_path / "out").exists()


def test_a_run_whose_training_was_broken_off_is_refused(runs: Runs, tmp_path: Path) -> None:
    run = edited(runs, tmp_path, lambda _: None)
    info = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**info, "steps": None}))
    assert "run: its training has not finished" in refusal("abtest", runs.a, run, "--truth", runs.log)


def test_samples_that_changed_since_are_refused(runs: Runs, tmp_path: Path) -> None:
    run = edited(runs, tmp_path, lambda _: None)
    info = json.loads((run / "run.json").read_text())
    info["samples"]["fingerprint"] = "0" * 64
    (run / "run.json").write_text(json.dumps(info))
    assert "not the samples that" in refusal("abtest", run, run, "--truth", runs.log)
    shutil.rmtree(tmp_path / "samples")
    assert "samples: no such samples folder" in refusal("abtest", run, run, "--truth", runs.log)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--requests", 100_000), r"requests = 100000: \d+ searches come in the day after .* \(seed 0\)"),
        (("--days", 15), "days = 15: expected 1 to 14, the days of the log"),
        (("--task", "purchas"), "unknown task 'purchas' in .*a; expected one of click"),
        (("--truth", "nowhere"), "nowhere: no such folder; expected one made by corank logs simulate"),
    ],
)
def test_mistakes_end_in_a_sentence(runs: Runs, words: tuple[object, ...], sentence: str) -> None:
    said = refusal("abtest", runs.a, runs.b, "--truth", runs.log, "--days", 1, *words)
    assert re.search(sentence, said), said


def test_python_refuses_what_the_command_line_does(runs: Runs) -> None:
    for name, value, least in (("seeds", 0, 1), ("draws", -1, 0), ("requests", 0, 1), ("seed", -1, 0)):
        with pytest.raises(CorankError, match=f"{name} = {value}: expected {least} or more"):
            runs.again(**{name: value})
