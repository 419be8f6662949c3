"""What cannot be built ends in one sentence, before anything is written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.samples.generated import explicit_cuts, random_log, write
from tests.samples.oracle import Log

from corank.errors import CorankError
from corank.samples import build_samples


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(random_log(2, "int", parts=3), "int", tmp_path_factory.mktemp("good"))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["valid_fraction=0.1"], "unknown key 'valid_fraction'; did you mean 'valid_from'"),
        (["valid=0"], "'valid' = 0: input should be greater than 0"),
        (["valid=0.5", "test=0.6"], "leave nothing to train on"),
        (["unexposed_per_exposed=-1"], "greater than or equal to 0"),
        (["valid_from=2024-01-01"], "valid_from and test_from go together"),
        (["valid_from=2024-01-01", "test_from=2023-01-01"], "must be before test_from"),
        (["click_actions=[click]", "purchase_actions=[click]"], "action 'click' is among both"),
        (["click_actions=[clack]"], "unknown action 'clack' in click_actions .*did you mean 'click'"),
        (["history_actions=[klick]"], "unknown action 'klick' in history_actions"),
        (["rank_columns=[pric]"], "unknown column 'pric' in rank_columns .*did you mean 'price'"),
        (["rank_columns=[exposed]"], "candidates.exposed is bool, expected a number"),
        (["domains=[serach]"], "unknown domain 'serach' in domains .*did you mean 'search'"),
        (
            ["valid_from=2000-01-01", "test_from=2100-01-01"],
            "leaves nothing to train on: the requests run from",
        ),
        (["valid_from=2023-11-14T22:13:25", "test_from=2100-01-01"], "leaves nothing to test on"),
        (
            ["valid_from=2023-11-14T22:13:24.55", "test_from=2023-11-14T22:13:24.6"],
            "split valid would have no requests",
        ),
        (["valid=0.001"], "a split would be empty"),
        (["unexposed_domain=rec"], "unexposed_domain = 'rec': a domain of the log's requests"),
        (["unexposed_domain=''"], "'unexposed_domain' = .*at least 1 character"),
        (["touch_actions=[cart, cart]"], "'touch_actions' = .*'cart' is named twice"),
    ],
)
def test_settings(good: Path, tmp_path: Path, settings: list[str], sentence: str) -> None:
    with pytest.raises(CorankError, match=sentence):
        build_samples(good, tmp_path / "out", settings=settings)
    assert list(tmp_path.iterdir()) == []


def test_a_request_without_domain_is_of_none_that_is_named(tmp_path: Path) -> None:
    log = random_log(2, "int", parts=3)
    log["requests"][-1]["domain"] = None
    logs = write(log, "int", tmp_path / "logs")
    settings = [*explicit_cuts(), "duplicate_events=keep", "pseudo_domains=[rec]"]
    assert build_samples(logs, tmp_path / "out", recipe="es3", settings=settings).labels


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["attribution_hours=0"], "'attribution_hours' = 0: input should be greater than"),
        (["attributed_click_actions=[vew]"], "unknown action 'vew' in attributed_click_actions .*'view'"),
        (["attributed_purchase_actions=[click]"], "'click' is among both attributed_click_actions"),
        (["pseudo_domains=[search]"], "domain 'search' is among both domains and pseudo_domains"),
        (["pseudo_domains=[shopp]"], "unknown domain 'shopp' in pseudo_domains .*did you mean 'shop'"),
        (["item_text=[titel]"], "unknown column 'titel' in item_text .*did you mean 'title'"),
        (["item_text=[item_id]"], "item_text: items.item_id is int64, expected text"),
        (["relevance=embedding"], "requests has no column 'query_embedding'"),
        (["query_levels=[nearby]"], "'query_levels.0' = 'nearby'"),
        (["query_levels=[]"], "'query_levels' = "),
        (["duplicate_events=refuse"], "rows repeat an event .*duplicate_events=keep"),
    ],
)
def test_settings_of_es3(tmp_path: Path, settings: list[str], sentence: str) -> None:
    log = random_log(2, "int", parts=3)
    log["events"].append(log["events"][0])
    logs = write(log, "int", tmp_path / "logs")
    with pytest.raises(CorankError, match=sentence):
        build_samples(logs, tmp_path / "out", recipe="es3", settings=["duplicate_events=keep", *settings])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("engine", "master", "memory", "sentence"),
    [
        ("duckdb", None, "lots", "memory = 'lots': expected a size such as 2GB"),
        ("duckdb", None, "10MB", "memory = '10MB': expected at least 600MB"),
        ("duckdb", "local[2]", None, "only the engine spark has one"),
        ("spark", None, "2GB", "memory: Spark's is set where it is started"),
        ("sparc", None, None, "unknown engine 'sparc'; did you mean 'spark'"),
    ],
)
def test_engines(
    good: Path, tmp_path: Path, engine: str, master: str | None, memory: str | None, sentence: str
) -> None:
    with pytest.raises(CorankError, match=sentence):
        build_samples(good, tmp_path / "out", engine=engine, master=master, memory=memory)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("ids", ["int", "text"])
@pytest.mark.parametrize("owner", ["a request's", "none's"])
def test_a_repeated_item_in_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ids: str, shards: int, owner: str
) -> None:
    monkeypatch.setattr("corank.samples.build.shards_for", lambda *_: shards)
    log = random_log(2, ids, parts=3)
    row = dict(log["candidates"][0])
    if owner == "none's":
        row["request_id"] = 10**9 if ids == "int" else "no such request"
        log["candidates"].append(row)
    log["candidates"].append(row)
    logs = write(log, ids, tmp_path / "logs")
    with pytest.raises(CorankError, match=r"candidates.parquet: item_id has duplicates or nulls in 1 lists"):
        build_samples(logs, tmp_path / "out", memory="1GB")


@pytest.mark.parametrize("shards", [1, 3])
def test_repeated_events_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shards: int) -> None:
    monkeypatch.setattr("corank.samples.build.shards_for", lambda *_: shards)
    log = random_log(2, "int", parts=3)
    distinct = {tuple(sorted(event.items(), key=str)): event for event in log["events"]}
    log["events"] = [*distinct.values(), *list(distinct.values())[:3]]
    logs = write(log, "int", tmp_path / "logs")
    with pytest.raises(CorankError, match="3 rows repeat an event"):
        build_samples(logs, tmp_path / "out", settings=["duplicate_events=refuse"], memory="1GB")


def test_recipe_and_output(good: Path, tmp_path: Path) -> None:
    with pytest.raises(CorankError, match="unknown recipe 'unexpose'; did you mean 'unexposed'"):
        build_samples(good, tmp_path / "out", recipe="unexpose")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("kept")
    with pytest.raises(CorankError, match="already exists"):
        build_samples(good, tmp_path / "out")
    assert (tmp_path / "out" / "mine.txt").read_text() == "kept"


def unclicked(log: Log) -> None:
    for event in log["events"]:
        if event["action"] == "purchase" or event["request_id"] is not None:
            event["action"] = "cart"


def twice(table: str) -> Any:
    def change(log: Log) -> None:
        log[table].append(log[table][0])

    return change


def one_instant(log: Log) -> None:
    for request in log["requests"]:
        request["timestamp"] = log["requests"][0]["timestamp"]


@pytest.mark.parametrize(
    ("change", "settings", "sentence"),
    [
        (unclicked, explicit_cuts(), "training split has one class only: no sample of"),
        (twice("requests"), [], "request_id has duplicates .*corank logs check"),
        (twice("items"), [], "item_id has duplicates"),
        (twice("users"), [], "user_id has duplicates"),
        (one_instant, [], "too many requests at one instant"),
        (lambda log: log["events"].clear(), [], "no events"),
    ],
)
def test_logs(tmp_path: Path, change: Any, settings: list[str], sentence: str) -> None:
    log = random_log(2, "int", parts=3)
    change(log)
    logs = write(log, "int", tmp_path / "logs")
    with pytest.raises(CorankError, match=sentence):
        build_samples(logs, tmp_path / "out", settings=settings)
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


@pytest.mark.parametrize(
    ("table", "old", "new", "sentence"),
    [
        ("candidates", "price", "label_click", "two columns called 'label_click'"),
        ("candidates", "price", "Query", "two columns called 'query'"),
        ("candidates", "price", "_row", "column '_row': names that begin with an underscore are reserved"),
        ("users", "country", "id", "two columns called 'user_id'"),
        ("requests", "session_id", "user_country", "two columns called 'user_country'"),
    ],
)
def test_column_names(good: Path, tmp_path: Path, table: str, old: str, new: str, sentence: str) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(good, logs)
    found = pq.read_table(logs / f"{table}.parquet")
    renamed = [new if name == old else name for name in found.column_names]
    pq.write_table(found.rename_columns(renamed), logs / f"{table}.parquet")
    with pytest.raises(CorankError, match=sentence):
        build_samples(logs, tmp_path / "out")


def test_reading_a_manifest_needs_no_data_engine() -> None:
    code = (
        "import sys; from corank.samples import SampleConfig, read_manifest;"
        "assert not {'duckdb', 'ibis', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
