"""Bad input at the command line: status 2, one sentence, nothing left behind.

The sentence says what was given, where, and what was expected; each case states it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from corank import verbs
from tests.cli import corank, refusal
from tests.given import (
    Given,
    all_clicked,
    empty_list,
    first_half,
    no_deeds,
    no_requests_named,
    noise_in_pages,
    times_as_text,
    without_table,
)

Words = Sequence[object]


@pytest.fixture(scope="module")
def run(market_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is evaluated."""
    out = tmp_path_factory.mktemp("refusals") / "run"
    verbs.train(market_samples, out, "dlrm_mlp_xs", settings=["epochs=1"])
    verbs.evaluate(out, market_samples, resamples=2)
    return out


@pytest.fixture
def given(
    market_logs: Path, market_samples: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Given:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    at = tmp_path / "at"
    at.mkdir()
    return Given(market_logs, market_samples, run, at)


SPEC = "fields:\n  - {column: %s, kind: %s, source: request, group: context}\n"

LOGS: dict[str, tuple[Callable[[Given], Words], str]] = {
    "missing table": (
        lambda g: ["logs", "check", without_table(g, "events")],
        r"tiny: no table events \(events.parquet, or a folder events of Parquet files\)",
    ),
    "missing table, samples": (
        lambda g: ["samples", without_table(g, "users"), g.out],
        r"tiny: no table users \(users.parquet, or a folder users",
    ),
    "no such log": (lambda g: ["logs", "check", g.at / "nowhere"], "nowhere: no such folder of log tables"),
    "wrong type": (
        lambda g: ["logs", "check", g.changed("requests", times_as_text)],
        r"requests.parquet: requests.timestamp is string, expected timestamp\[us, UTC\].*; cast it",
    ),
    "wrong type, samples": (
        lambda g: ["samples", g.changed("requests", times_as_text), g.out],
        r"requests.timestamp is string, expected timestamp\[us, UTC\]",
    ),
    "unknown request": (
        lambda g: ["logs", "check", g.tiny("candidates", request_id=77, position=None, exposed=False)],
        r"tiny: candidates.request_id: request_id is not in the table requests \(candidates-unknown-request, "
        r"1 row, such as request_id=77.*\); mend the log or drop the rows",
    ),
    "unknown item": (
        lambda g: ["logs", "check", g.tiny("candidates", item_id=999)],
        r"candidates.item_id: item_id is not in the table items \(candidates-unknown-item, 1 row, .*999",
    ),
    "empty list": (
        lambda g: ["logs", "check", empty_list(g)],
        r"requests.request_id: .*\(requests-without-candidates, 1 row, such as request_id=4",
    ),
    "no click": (
        lambda g: ["logs", "check", g.changed("events", no_deeds)],
        r"events.action: .*\(log-without-clicks.*; no row to drop would mend it",
    ),
    "every row clicked": (lambda g: ["logs", "check", all_clicked(g)], r"\(log-all-clicked"),
    "no click, samples": (
        lambda g: ["samples", g.changed("events", no_deeds), g.out],
        "unknown action 'click' in click_actions \\(table events\\)",
    ),
    "no click of a request, samples": (
        lambda g: ["samples", g.changed("events", no_requests_named), g.out],
        r"the training split has one class only: no sample of \d+ is clicked \(click_actions click\)",
    ),
    "truncated table": (
        lambda g: ["logs", "check", g.cut(g.logs, "candidates.parquet", first_half)],
        r"candidates.parquet: not readable as Parquet \(truncated or damaged",
    ),
    "truncated table, samples": (
        lambda g: ["samples", g.cut(g.logs, "events.parquet", first_half), g.out],
        r"events.parquet: not readable as Parquet \(truncated or damaged",
    ),
    "damaged pages": (
        lambda g: ["logs", "check", g.cut(g.logs, "candidates.parquet", noise_in_pages)],
        "logs: its tables cannot be read",
    ),
    "damaged pages, samples": (
        lambda g: ["samples", g.cut(g.logs, "candidates.parquet", noise_in_pages), g.out],
        "logs: its tables cannot be read",
    ),
    "missing table, audit": (
        lambda g: ["audit", without_table(g, "users")],
        r"tiny: no table users \(users.parquet, or a folder users",
    ),
    "no such log, audit": (
        lambda g: ["audit", g.at / "nowhere"],
        "nowhere: no such folder; expected logs or samples",
    ),
    "neither, audit": (
        lambda g: ["audit", g.run],
        r"run: neither samples \(manifest.json\) nor logs \(the tables requests, ",
    ),
    "truncated table, audit": (
        lambda g: ["audit", g.cut(g.logs, "events.parquet", first_half), "--out", g.at / "page.html"],
        r"events.parquet: not readable as Parquet \(truncated or damaged",
    ),
    "damaged pages, audit": (
        lambda g: ["audit", g.cut(g.logs, "candidates.parquet", noise_in_pages), "--out", g.at / "page.html"],
        "logs: its tables cannot be read",
    ),
}


def truncated(name: str) -> Callable[[Given], Words]:
    """Training on samples of which one file is cut short."""
    return lambda given: ["train", given.cut(given.samples, name, first_half), given.out]


STORE: dict[str, tuple[Callable[[Given], Words], str]] = {
    **{
        f"truncated {name}": (
            truncated(name),
            rf"{re.escape(name.partition('*')[0])}.*: cannot be read as Parquet .*made by corank samples",
        )
        for name in ("train/*.parquet", "valid/*.parquet", "items.parquet", "histories.parquet")
    },
    "damaged items": (
        lambda g: ["train", g.cut(g.samples, "items.parquet", noise_in_pages), g.out],
        "items.parquet: cannot be read as Parquet",
    ),
    "truncated test, predict": (
        lambda g: ["predict", g.run, g.cut(g.samples, "test/*.parquet", first_half), g.out],
        "test/part-00000.parquet: cannot be read as Parquet",
    ),
    "truncated test, audit": (
        lambda g: ["audit", g.cut(g.samples, "test/*.parquet", first_half)],
        r"test/part-00000.parquet: cannot be read as Parquet .*made by corank samples",
    ),
    "damaged ledger, audit": (
        lambda g: ["audit", g.cut(g.samples, "labels.parquet", noise_in_pages), "--out", g.at / "page.html"],
        r"samples: its tables cannot be read|labels.parquet: cannot be read",
    ),
    "settings of samples, audit": (
        lambda g: ["audit", g.samples, "--set", "domains=[rec]"],
        "samples: samples are audited with the settings that they were built with; --set is for logs",
    ),
    "a folder as page, audit": (
        lambda g: ["audit", g.samples, "--out", g.empty],
        "empty: is a folder; expected the HTML file to write",
    ),
    "not samples": (
        lambda g: ["train", g.logs, g.out],
        r"logs: not a samples folder \(it has no manifest.json\); make one with: corank samples LOGS OUT",
    ),
    "text as number": (
        lambda g: ["train", g.samples, g.out, "--features", g.text("f.yaml", SPEC % ("device", "number"))],
        "field 'device' is of kind number, which needs a numeric column; request column 'device' holds str",
    ),
    "unknown column": (
        lambda g: ["train", g.samples, g.out, "--features", g.text("f.yaml", SPEC % ("devise", "id"))],
        "feature spec: no request column 'devise'; did you mean 'device'?",
    ),
    "unknown kind": (
        lambda g: ["train", g.samples, g.out, "--features", g.text("f.yaml", SPEC % ("device", "image"))],
        r"f.yaml: 'fields.0.kind' = 'image': input should be 'id', 'number', 'sequence', 'text' or "
        "'embedding'",
    ),
    "not YAML": (
        lambda g: ["train", g.samples, g.out, "--features", g.text("f.yaml", "fields: [\n  {column: a")],
        "f.yaml: not valid YAML at line 2",
    ),
    "no such spec": (
        lambda g: ["train", g.samples, g.out, "--features", g.at / "f.yaml"],
        "f.yaml: no such file",
    ),
    "a list, not a spec": (
        lambda g: ["train", g.samples, g.out, "--features", g.text("f.yaml", "- device")],
        "f.yaml: expected a mapping of keys to values, found list",
    ),
    "not a run": (
        lambda g: ["evaluate", g.samples],
        "samples: not a run; expected a folder made by `corank train`",
    ),
    "not a run, predict": (lambda g: ["predict", g.logs, g.samples, g.out], "logs: not a run; expected a"),
    "not a run, compare": (lambda g: ["compare", g.run, g.samples], "samples: not a run"),
    "not a run, explain": (
        lambda g: ["explain", g.samples],
        "samples: not a run; expected a folder made by `corank train`",
    ),
    "not samples, explain": (
        lambda g: ["explain", g.run, "--samples", g.logs],
        r"logs: not a samples folder \(it has no manifest.json\)",
    ),
    "truncated valid, explain": (
        lambda g: ["explain", g.run, "--samples", g.cut(g.samples, "valid/*.parquet", first_half)],
        "valid/part-00000.parquet: cannot be read as Parquet",
    ),
    "items without a request, explain": (
        lambda g: ["explain", g.run, "--item", "1"],
        "explain: --item chooses what is shown of a request; name one with --request",
    ),
    "no requests for the mean, explain": (
        lambda g: ["explain", g.run, "--request", g.request, "--requests", "0"],
        "the mean baseline is that of requests read; expected --requests of 1 at least, or --baseline miss",
    ),
    "a folder as page, report": (
        lambda g: ["report", g.run, "--out", g.empty],
        "empty: is a folder; expected the HTML file to write",
    ),
    "a folder as table, predict": (
        lambda g: ["predict", g.run, g.samples, g.empty],
        "empty: is a folder; expected the file to write",
    ),
    "a folder as spec, features": (
        lambda g: ["features", g.samples, g.empty],
        "empty: is a folder; expected the file to write",
    ),
    "not a run, abtest": (
        lambda g: ["abtest", g.run, g.samples, "--truth", g.logs],
        "samples: not a run; expected a folder made by `corank train`",
    ),
    "changed log, abtest": (
        lambda g: ["abtest", g.run, g.run, "--truth", g.changed("events", no_deeds), "--out", g.out],
        r"run: its samples \(.*\) were built from another log than .*logs; name the log that the run",
    ),
    "log of elsewhere, abtest": (
        lambda g: ["abtest", g.run, g.run, "--truth", g.tiny("candidates", item_id=999)],
        r"tiny: not a simulated log \(it has no simulation.json\); expected one made by corank logs simulate",
    ),
    "too many requests, abtest": (
        lambda g: ["abtest", g.run, g.run, "--truth", g.logs, "--days", 1, "--requests", 999, "--out", g.out],
        r"requests = 999: \d+ searches come in the day after .*logs \(seed 0\); ask for fewer",
    ),
    "not a run, report": (lambda g: ["report", g.samples], "samples: holds no run.json"),
}

NAMES: dict[str, tuple[Callable[[Given], Words], str]] = {
    "model": (
        lambda g: ["train", g.samples, g.out, "--model", "dlrm_mpl_xs"],
        "unknown model 'dlrm_mpl_xs'; did you mean 'dlrm_mlp_xs'?",
    ),
    "model without size": (
        lambda g: ["train", g.samples, g.out, "--model", "dcnv2"],
        "model 'dcnv2' needs a size: dcnv2_xs, dcnv2_s,",
    ),
    "key of the simulation": (
        lambda g: ["logs", "simulate", g.out, "--set", "request=3"],
        "unknown key 'request'; did you mean 'requests'?",
    ),
    "key of samples": (
        lambda g: ["samples", g.logs, g.out, "--set", "domain=[rec]"],
        "--set: unknown key 'domain'; did you mean 'domains'?",
    ),
    "key of the audit": (
        lambda g: ["audit", g.logs, "--set", "domain=[rec]"],
        "--set: unknown key 'domain'; did you mean 'domains'?",
    ),
    "domain of the audit": (
        lambda g: ["audit", g.logs, "--set", "domains=[serach]"],
        r"unknown domain 'serach' in domains \(table requests\); did you mean 'search'?",
    ),
    "key of training": (
        lambda g: ["train", g.samples, g.out, "--set", "optimizer.lrr=1"],
        "--set: unknown key 'lrr' in 'optimizer'; did you mean 'lr'?",
    ),
    "group of training": (
        lambda g: ["train", g.samples, g.out, "--set", "optimiser.lr=1"],
        "names no group 'optimiser' in the configuration; did you mean 'optimizer'?",
    ),
    "key of the model": (
        lambda g: ["train", g.samples, g.out, "--model", "dcnv2_xs", "--set", "model.cross_layer=1"],
        "model dcnv2_xs: unknown key 'cross_layer'; did you mean 'cross_layers'?",
    ),
    "key of the model, as training's": (
        lambda g: ["train", g.samples, g.out, "--set", "tasks=[click]"],
        "^--set: 'tasks' is the model's; did you mean 'model.tasks'?",
    ),
    "parts that do not fit": (
        lambda g: ["train", g.samples, g.out, "--set", "loss.pointwise=0"],
        "^--set: in 'loss': pointwise = 0 and listwise = 0 leave nothing to learn from",
    ),
    "domain where none is told": (
        lambda g: [
            *["train", g.samples, g.out, "--set", "loss.domain_weights.rec=.5", "--model", "dlrm_mlp_xs"],
            *["--features", g.text("f.yaml", SPEC % ("device", "id"))],
        ],
        "^loss.domain_weights: domain 'rec' is not known, for the features tell no domain",
    ),
    "key of a study's samples": (
        lambda g: ["study", "codesign", g.out, "--set", "samples=[unexposed_wieght=2]"],
        "^--set: samples: unknown key 'unexposed_wieght'; did you mean 'unexposed_weight'?",
    ),
    "key of a study's market": (
        lambda g: ["study", "codesign", g.out, "--set", "market=[neds.x=2]"],
        "^--set: market: 'neds.x=2' names no group 'neds' in the configuration; did you mean 'needs'?",
    ),
    "no list": (
        lambda g: ["study", "codesign", g.out, "--set", "models=hhfi"],
        r"^--set: 'models' = 'hhfi': expected a list, such as \[a, b\]",
    ),
    "empty list of a study": (
        lambda g: ["study", "codesign", g.out, "--set", "rates=[]"],
        r"^--set: 'rates' = \[\]: expected a list of 1 or more, found 0",
    ),
    "sizes that do not fit": (
        lambda g: ["train", g.samples, g.out, "--model", "rankmixer_xs", "--set", "model.tokenizer.tokens=7"],
        "token mixer: 7 heads do not divide the token width 32",
    ),
    "recipe": (
        lambda g: ["samples", g.logs, g.out, "--recipe", "exposd"],
        "unknown recipe 'exposd'; did you mean 'exposed'?",
    ),
    "split, evaluate": (
        lambda g: ["evaluate", g.run, g.samples, "--split", "tset"],
        "unknown split 'tset'; did you mean 'test'?",
    ),
    "split, predict": (
        lambda g: ["predict", g.run, g.samples, g.out, "--split", "tset"],
        "unknown split 'tset'; did you mean 'test'?",
    ),
    "split, compare": (
        lambda g: ["compare", g.run, "--split", "tset"],
        "unknown split 'tset'; did you mean 'test'?",
    ),
    "split, explain": (
        lambda g: ["explain", g.run, "--split", "tset"],
        "unknown split 'tset'; did you mean 'test'?",
    ),
    "baseline": (
        lambda g: ["explain", g.run, "--baseline", "meen"],
        "unknown baseline 'meen'; did you mean 'mean'?",
    ),
    "group": (
        lambda g: ["explain", g.run, "--request", g.request, "--group", "itms"],
        "unknown feature group 'itms' in .*run; did you mean 'item'?",
    ),
    "request": (
        lambda g: ["explain", g.run, "--request", f"{g.request}x"],
        "unknown request '(.*)x' in .*samples/valid; did you mean '",
    ),
    "item": (
        lambda g: ["explain", g.run, "--request", g.request, "--item", "0"],
        "unknown item '0' in the list of request .*",
    ),
    "space": (
        lambda g: ["compare", g.run, "--space", "shown"],
        "unknown space 'shown'; expected one of all_channels, entire, exposed, unexposed",
    ),
    "preset": (
        lambda g: ["logs", "simulate", g.out, "--preset", "markt"],
        "unknown preset 'markt'; did you mean 'market'?",
    ),
    "size": (
        lambda g: ["logs", "simulate", g.out, "--size", "xxl"],
        "unknown size 'xxl'; (did you mean|expected one of)",
    ),
    "source": (
        lambda g: ["logs", "import", "trivego", g.logs, g.out],
        "unknown source 'trivego'; did you mean 'trivago'?",
    ),
    "rule": (
        lambda g: ["logs", "check", g.logs, "--out", g.out, "--drop", "users-repeated-ids"],
        "unknown rule 'users-repeated-ids' in drop; did you mean 'users-repeated-id'?",
    ),
}


CASES = [pytest.param(*case, id=name) for name, case in (LOGS | STORE | NAMES).items()]


@pytest.mark.parametrize(("words", "sentence"), CASES)
def test_ends_in_one_sentence_and_leaves_nothing(
    given: Given, words: Callable[[Given], Words], sentence: str
) -> None:
    command = words(given)
    before = given.contents
    assert re.search(sentence, refusal(*command))
    assert given.contents == before


@pytest.mark.parametrize(
    "words",
    [
        lambda g: ["logs", "simulate", g.out],
        lambda g: ["logs", "import", "trivago", g.logs, g.out],
        lambda g: ["logs", "check", g.logs, "--out", g.out, "--drop", "all"],
        lambda g: ["audit", g.logs, "--out", g.out],
        lambda g: ["samples", g.logs, g.out],
        lambda g: ["features", g.samples, g.out],
        lambda g: ["train", g.samples, g.out],
        lambda g: ["predict", g.run, g.samples, g.out],
        lambda g: ["explain", g.run, "--out", g.out],
        lambda g: ["abtest", g.run, g.run, "--truth", g.logs, "--out", g.out],
        lambda g: ["demo", g.out],
    ],
    ids=[
        "simulate",
        "import",
        "check",
        "audit",
        "samples",
        "features",
        "train",
        "predict",
        "explain",
        "abtest",
        "demo",
    ],
)
def test_what_exists_is_not_touched(given: Given, words: Callable[[Given], Words]) -> None:
    given.out.mkdir()
    (given.out / "mine.txt").write_text("kept")
    before = given.contents
    sentence = refusal(*words(given))
    assert sentence == f"{given.out}: already exists; name another output or pass --overwrite"
    assert given.contents == before


def test_an_older_run_goes_only_once_the_new_one_can_begin(given: Given) -> None:
    shutil.copytree(given.run, given.out)
    before = given.contents
    assert "unknown model" in refusal("train", given.samples, given.out, "--model", "no", "--overwrite")
    spec = given.at / "none.yaml"
    assert "no such file" in refusal("train", given.samples, given.out, "--features", spec, "--overwrite")
    assert given.contents == before


@pytest.mark.parametrize(
    "words",
    [("train",), ("samples", "a", "b", "--recipee", "x"), ("samples", "a", "b", "--seed", "-1"), ("trian",)],
    ids=["too few arguments", "unknown option", "out of range", "unknown verb"],
)
def test_wrong_usage_ends_in_status_2_too(words: Words) -> None:
    result = corank(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: " in result.stderr
