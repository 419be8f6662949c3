"""The store as it lies on disk: equal to the oracle, whole, the same for the same seed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.samples import oracle
from tests.samples.generated import CUTS, explicit_cuts, random_log, write
from tests.samples.oracle_es3 import Settings

from corank.errors import CorankError
from corank.progress import Quiet, Task
from corank.samples import Manifest, build_samples, read_manifest

SETTINGS = [*explicit_cuts(), "row_group_samples=20", "file_samples=50", "unexposed_per_exposed=1.5"]
SETTINGS += [f"attribution_hours={2.5 / 3600}", "duplicate_events=keep"]
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Built:
    """A store, what it was made of, and the oracle's."""

    ids: str
    logs: Path
    folder: Path
    manifest: Manifest
    log: oracle.Log
    expected: list[tuple[dict[str, Any], list[dict[str, Any]]]]
    ledger: list[dict[str, Any]]


@pytest.fixture(scope="module", params=[("int", "es3"), ("text", "exposed")], ids=["int", "text"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    ids, recipe = request.param
    folder = tmp_path_factory.mktemp(ids)
    log = random_log(9, ids, events=80)
    logs = write(log, ids, folder / "logs")
    (logs / "truth").mkdir()
    (logs / "truth" / "requests.parquet").write_bytes(b"not for samples")
    manifest = build_samples(logs, folder / "out", recipe=recipe, seed=3, settings=SETTINGS)
    expected = oracle.build(log, Settings(cuts=CUTS, recipe=recipe, seed=3))
    return Built(ids, logs, folder / "out", manifest, log, expected.store, expected.ledger)


def read(folder: Path) -> list[dict[str, Any]]:
    """The rows of a folder's files, in order, with times as whole microseconds."""
    table = pa.concat_tables([pq.read_table(file) for file in sorted(folder.glob("*.parquet"))])
    index = table.schema.get_field_index("timestamp")
    rows = table.set_column(index, "timestamp", table["timestamp"].cast(pa.int64())).to_pylist()
    return [dict(row) for row in rows]


def test_store_equals_the_oracle(built: Built) -> None:
    assert_store(built.folder, built.log, built.expected)
    lists = {name for name, column in built.manifest.columns.items() if column.kind == "list"}
    assert set(built.expected[0][1][0]) == lists


def assert_store(
    folder: Path, log: oracle.Log, expected: list[tuple[dict[str, Any], list[dict[str, Any]]]]
) -> None:
    """A folder has the oracle's rows, in its order."""
    rows = [row for split in SPLITS for row in read(folder / split)]
    assert len(rows) == len(expected)
    countries = {user["user_id"]: user["country"] for user in log["users"]}
    for row, (request, items) in zip(rows, expected, strict=True):
        assert {name: row[name] for name in oracle.REQUEST_COLUMNS} == {
            name: request[name] for name in oracle.REQUEST_COLUMNS
        }
        assert row["user_country"] == countries.get(row["user_id"])
        for column in items[0]:
            assert row[column] == [item[column] for item in items], column


def test_types_are_those_of_the_contract(built: Built) -> None:
    file = next((built.folder / "train").glob("*.parquet"))
    found = {field.name: field.type for field in pq.read_schema(file)}
    kinds = {name: kind.value_type if pa.types.is_list(kind) else kind for name, kind in found.items()}
    described = {
        name: (column.type, column.kind == "list") for name, column in built.manifest.columns.items()
    }
    assert described == {name: (str(kinds[name]), pa.types.is_list(kind)) for name, kind in found.items()}
    identifier = pa.int64() if built.ids == "int" else pa.string()
    expected = {
        "request_id": identifier,
        "item_id": identifier,
        "timestamp": pa.timestamp("us", tz="UTC"),
        "history_offset": pa.int64(),
        "exposed": pa.bool_(),
        "label_click": pa.int8(),
        "label_purchase": pa.int8(),
        "label_source": pa.string(),
        "weight": pa.float32(),
        "price_rank": pa.float32(),
        "item_clicks": pa.int32(),
        "user_shown": pa.int32(),
        "user_since_shown": pa.float32(),
        "item_shown": pa.int32(),
        "list_touch_order": pa.int32(),
        "price_from_touch": pa.float32(),
        "user_touches_cart": pa.int32(),
        "session_since_touch": pa.float32(),
        "session_touch_order": pa.int32(),
    }
    assert {name: kinds[name] for name in expected} == expected


def test_requests_stand_in_their_split(built: Built) -> None:
    for index, split in enumerate(SPLITS):
        expected = [request["request_id"] for request, _ in built.expected if request["split"] == index]
        assert [row["request_id"] for row in read(built.folder / split)] == expected


def test_histories_and_items_are_sorted(built: Built) -> None:
    assert [
        {column: row[column] for column in ("user_id", "timestamp", "action", "item_id", "domain")}
        for row in read_file(built.folder / "histories.parquet")
    ] == oracle.history(built.log)
    items = pq.read_table(built.folder / "items.parquet")["item_id"].to_pylist()
    assert items == sorted(row["item_id"] for row in built.log["items"])


def read_file(path: Path) -> list[dict[str, Any]]:
    table = pq.read_table(path)
    index = table.schema.get_field_index("timestamp")
    rows = table.set_column(index, "timestamp", table["timestamp"].cast(pa.int64())).to_pylist()
    return [dict(row) for row in rows]


def test_size_table_counts_the_store(built: Built) -> None:
    for index, split in enumerate(SPLITS):
        lists = [(request, items) for request, items in built.expected if request["split"] == index]
        size = built.manifest.sizes[split]
        assert size.requests == len(lists)
        silent = sum(all(not item["label_click"] for item in items) for _, items in lists)
        assert size.requests_without_click == silent
        for name in ("exposed", "unexposed", "searchified"):
            members = [item for request, items in lists for item in items if space(request, item) == name]
            found = getattr(size, name)
            assert found.samples == len(members)
            assert found.clicks == sum(item["label_click"] for item in members)
            assert found.purchases == sum(item["label_purchase"] for item in members)
        sources = [item["label_source"] for _, items in lists for item in items if item["label_source"]]
        assert size.label_sources == {name: sources.count(name) for name in size.label_sources}
        queries = [request["query_source"] for request, _ in lists]
        assert size.query_sources == {name: queries.count(name) for name in size.query_sources}


def space(request: dict[str, Any], item: dict[str, Any]) -> str:
    if request["query_source"] != "logged":
        return "searchified"
    return "exposed" if item["exposed"] else "unexposed"


def test_manifest_tells_every_event_and_request(built: Built) -> None:
    fates = [row["fate"] for row in built.ledger]
    assert built.manifest.events == {fate: fates.count(fate) for fate in built.manifest.events}
    assert sum(built.manifest.events.values()) == len(fates) == built.manifest.labels
    logged = sum(request["query_source"] == "logged" for request, _ in built.expected)
    assert sum(built.manifest.left_out.values()) + logged == len(built.log["requests"])
    assert read_manifest(built.folder) == built.manifest


def test_truth_is_not_an_input(built: Built) -> None:
    names = [file.name for files in built.manifest.inputs.values() for file in files]
    assert sorted(names) == sorted(f"{table}.parquet" for table in built.manifest.inputs)


def test_row_groups_and_files_are_small(built: Built) -> None:
    files = sorted((built.folder / "test").glob("*.parquet"))
    assert len(files) > 1
    for file in files:
        with pq.ParquetFile(file) as parquet:
            groups = [parquet.read_row_group(index) for index in range(parquet.num_row_groups)]
        sizes = [sum(len(items) for items in group["item_id"].to_pylist()) for group in groups]
        assert max(sizes) <= 20 + 9
        assert sum(sizes) <= 50 + 20 + 9


def test_same_seed_same_bytes_other_seed_other_rows(built: Built, tmp_path: Path) -> None:
    recipe = built.manifest.recipe
    again = build_samples(built.logs, tmp_path / "again", recipe=recipe, seed=3, settings=SETTINGS)
    other = build_samples(built.logs, tmp_path / "other", recipe=recipe, seed=4, settings=SETTINGS)
    assert again == built.manifest
    assert other.fingerprint != again.fingerprint
    assert other.sizes["train"].requests == again.sizes["train"].requests


def test_shards_of_users_make_the_same_bytes(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corank.samples.build.shards_for", lambda *_: 3)
    recipe = built.manifest.recipe
    again = build_samples(
        built.logs, tmp_path / "out", recipe=recipe, seed=3, settings=SETTINGS, memory="1GB"
    )
    assert again == built.manifest


def test_later_splits_are_the_same_in_every_recipe(built: Built, tmp_path: Path) -> None:
    for recipe in ("unexposed", "attributed"):
        other = tmp_path / recipe
        build_samples(built.logs, other, recipe=recipe, seed=3, settings=SETTINGS)
        for split in ("valid", "test"):
            names = sorted(file.name for file in (built.folder / split).iterdir())
            assert names == sorted(file.name for file in (other / split).iterdir())
            for name in names:
                assert (other / split / name).read_bytes() == (built.folder / split / name).read_bytes()


@pytest.fixture(params=[1, 3])
def in_shards(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build within any memory budget does the users in so many shards."""
    monkeypatch.setattr("corank.samples.build.shards_for", lambda *_: request.param)


@pytest.mark.usefixtures("in_shards")
def test_a_pseudo_request_has_the_embedding_of_its_query(tmp_path: Path) -> None:
    log = random_log(9, "int", events=80)
    logs = write(log, "int", tmp_path / "logs")
    requests = pq.read_table(logs / "requests.parquet")
    vectors = pa.array([[1.0, float(n)] for n in range(requests.num_rows)], pa.list_(pa.float64()))
    pq.write_table(requests.append_column("query_embedding", vectors), logs / "requests.parquet")
    build_samples(logs, tmp_path / "out", recipe="es3", seed=3, settings=SETTINGS, memory="1GB")
    rows = read(tmp_path / "out" / "train")
    logged = [row for row in rows if row["query_source"] == "logged"]
    first: dict[str, dict[str, Any]] = {}
    for row in sorted(logged, key=lambda row: (row["timestamp"], row["request_id"])):
        first.setdefault(row["query"], row)
    pseudo = [row for row in rows if row["query_source"] != "logged"]
    assert any(row["query_embedding"] for row in pseudo)
    for row in pseudo:
        none = row["query_source"] == "none"
        assert row["query_embedding"] == (None if none else first[row["query"]]["query_embedding"])


@pytest.mark.usefixtures("in_shards")
def test_unexposed_items_in_lists_of_their_own(tmp_path: Path) -> None:
    log = random_log(9, "int", events=80)
    logs, settings = write(log, "int", tmp_path / "logs"), [*SETTINGS, "unexposed_domain=unseen"]
    made = build_samples(logs, tmp_path / "out", "es3", seed=3, settings=settings, memory="1GB")
    expected = oracle.build(log, Settings(cuts=CUTS, seed=3, unexposed_domain="unseen"))
    assert_store(tmp_path / "out", log, expected.store)
    usual = build_samples(logs, tmp_path / "usual", "es3", seed=3, settings=SETTINGS)
    was, now = usual.sizes["train"], made.sizes["train"]
    for name in ("exposed", "unexposed", "searchified", "label_sources"):
        assert getattr(now, name) == getattr(was, name)
    apart = sum(request["domain"] == "unseen" for request, _ in expected.store)
    assert 0 < apart == now.requests - was.requests
    assert made.events == usual.events
    assert {"valid": made.sizes["valid"], "test": made.sizes["test"]} == {
        name: usual.sizes[name] for name in ("valid", "test")
    }


def test_without_unexposed_items_nothing_is_set_apart(tmp_path: Path) -> None:
    logs = write(random_log(9, "int", events=80), "int", tmp_path / "logs")
    made = {
        domain: build_samples(
            logs, tmp_path / domain, "exposed", settings=[*SETTINGS, f"unexposed_domain={domain}"]
        )
        for domain in ("unseen", "null")
    }
    assert made["unseen"].fingerprint == made["null"].fingerprint


def test_stages_grow_to_the_whole(built: Built) -> None:
    stages, train = built.manifest.stages, built.manifest.sizes["train"]
    last = stages[built.manifest.recipe]
    assert (last.requests, last.samples, last.clicks) == (
        train.requests,
        train.total.samples,
        train.total.clicks,
    )
    assert stages["exposed"].samples == train.exposed.samples
    if built.manifest.recipe == "es3":
        own = train.label_sources["own"]
        assert stages["unexposed"].clicks == own < stages["attributed"].clicks < last.clicks


KILLING = """
import os, signal, sys
from contextlib import contextmanager
from corank.samples import build_samples

class Killing:
    def __init__(self, task, calls):
        self.wanted, self.left = task, calls
    @contextmanager
    def task(self, name, total):
        self.now = name
        self.advance()
        yield self
        self.advance()
    def advance(self, steps=1, note=""):
        self.left -= self.now == self.wanted
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def say(self, line):
        pass

logs, out, recipe, task, calls, *settings = sys.argv[1:]
build_samples(logs, out, recipe=recipe, seed=3, settings=settings, progress=Killing(task, int(calls)))
"""
"""A build that is killed when a task has reported so many times."""


@pytest.mark.parametrize(
    ("task", "calls"),
    [("preparing samples", n) for n in (0, 3, 5)] + [("writing samples", n) for n in (0, 2)],
)
def test_a_killed_build_leaves_no_output(built: Built, tmp_path: Path, task: str, calls: int) -> None:
    recipe, out = built.manifest.recipe, tmp_path / "out"
    words = [str(built.logs), str(out), recipe, task, str(calls), *SETTINGS]
    killed = subprocess.run([sys.executable, "-c", KILLING, *words], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    (left,) = tmp_path.iterdir()  # a hidden folder, which nobody could clear
    assert left.name.startswith(".out.")
    again = build_samples(built.logs, out, recipe=recipe, seed=3, settings=SETTINGS)
    assert again == built.manifest
    assert list(tmp_path.iterdir()) == [out]


class Interrupting(Quiet):
    """A reporter that stands in for Ctrl-C while samples are written."""

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Task]:
        with super().task(name, total) as task:
            if name == "writing samples":
                raise KeyboardInterrupt
            yield task


def test_an_interrupted_build_leaves_nothing(built: Built, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        build_samples(built.logs, tmp_path / "out", settings=SETTINGS, progress=Interrupting())
    assert list(tmp_path.iterdir()) == []


def test_damaged_manifest_is_one_sentence(built: Built, tmp_path: Path) -> None:
    with pytest.raises(CorankError, match="no such samples folder"):
        read_manifest(tmp_path / "none")
    with pytest.raises(CorankError, match="it has no manifest"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(CorankError, match="not the manifest of a samples folder"):
        read_manifest(tmp_path)
    values = json.loads((built.folder / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**values, "seed": "x"}))
    with pytest.raises(CorankError, match=r"manifest\.json: 'seed' = 'x'"):
        read_manifest(tmp_path)
