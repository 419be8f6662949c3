"""What an audit cannot tell it says; what it cannot read ends in one sentence; names are only names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.given import first_half, noise_in_pages
from tests.logs.tiny import good_rows, write_log
from tests.samples.generated import explicit_cuts, random_log, write
from tests.samples.oracle import Log

from corank.errors import CorankError
from corank.samples import build_samples
from corank.samples.audit import LogAudit, SamplesAudit, audit_folder

CUTS = [*explicit_cuts(), f"attribution_hours={2.5 / 3600}"]


@pytest.fixture(scope="module")
def log() -> Log:
    return random_log(41, "int", parts=20, events=60)


def audit_of(log: Log, folder: Path, *settings: str, without: str = "") -> LogAudit:
    """The audit of a log, perhaps without the column `price`."""
    logs = write(log, "int", folder / "logs")
    if without:
        path = logs / "candidates.parquet"
        pq.write_table(pq.read_table(path).drop_columns([without]), path)
    made = audit_folder(logs, [*CUTS, *settings])
    assert isinstance(made, LogAudit)
    json.dumps(made.to_dict(), allow_nan=False)
    return made


def changed(log: Log, table: str, change: Callable[[list[Any]], list[Any]]) -> Log:
    return {**log, table: change([dict(row) for row in log[table]])}


def test_no_purchases(log: Log, tmp_path: Path) -> None:
    made = audit_of(
        changed(log, "events", lambda rows: [row for row in rows if row["action"] != "purchase"]), tmp_path
    )
    assert made.conversions is None
    assert made.absent["conversions"] == (
        "No event is a purchase (purchase_actions: purchase): there are no conversions to audit."
    )
    assert made.spaces.purchases_unexposed.of == 0
    assert "bought within the window" in made.absent["spaces.purchases"]
    assert "conversions" in {one.figure for one in made.findings}
    assert audit_of(log, tmp_path, "purchase_actions=[]").conversions is None


def test_no_clicks(log: Log, tmp_path: Path) -> None:
    made = audit_of(
        changed(log, "events", lambda rows: [row for row in rows if row["action"] == "view"]), tmp_path
    )
    assert {one.own_click.count for one in made.spaces.rates} == {0}
    assert [(one.low, one.high) for one in made.exposure.popularity] == [(0, 0)]
    assert len(made.findings) >= 3


def test_no_events_at_all(log: Log, tmp_path: Path) -> None:
    made = audit_of(changed(log, "events", lambda _: []), tmp_path)
    assert made.sizes.events == {}
    assert len(made.findings) >= 3


def test_no_unexposed_candidates(log: Log, tmp_path: Path) -> None:
    shown = changed(log, "candidates", lambda rows: [row for row in rows if row["exposed"]])
    made = audit_of(shown, tmp_path)
    assert made.absent["spaces"] == "There are no unexposed candidates: all figures are of exposed rows."
    assert {one.space for one in made.spaces.rates} == {"exposed"}
    assert made.findings[0].level == "act"
    assert any("exposed candidates only" in one.sentence for one in made.findings)
    assert made.blind_spot[0].candidates == made.blind_spot[1].candidates
    samples = tmp_path / "samples"
    build_samples(tmp_path / "logs", samples, settings=[*CUTS, "duplicate_events=keep"])
    of_samples = audit_folder(samples)
    assert isinstance(of_samples, SamplesAudit)
    assert "no drawn negatives" in of_samples.absent["skew"]
    assert {group.group for group in of_samples.skew} >= {"positives", "exposed negatives"}


def test_nothing_exposed_and_no_position(log: Log, tmp_path: Path) -> None:
    def hide(rows: list[Any]) -> list[Any]:
        return [{**row, "exposed": False, "position": None} for row in rows]

    made = audit_of(changed(log, "candidates", hide), tmp_path)
    assert "exposure.positions" in made.absent
    assert made.drift is not None
    assert made.drift.periods[0].clicked.rate is None
    assert made.blind_spot[0].candidates.rate == 1
    assert all(one.gap is None for one in made.drift.columns if one.level == "candidate")


def test_no_price(log: Log, tmp_path: Path) -> None:
    made = audit_of(log, tmp_path, without="price")
    assert made.exposure.price == ()
    assert made.absent["exposure.price"].startswith("Candidates have no numeric column 'price'")
    nulls = changed(log, "candidates", lambda rows: [{**row, "price": None} for row in rows])
    made = audit_of(nulls, tmp_path / "nulls")
    assert made.absent["exposure.price"] == "No test candidate has a price: there are no deciles of price."
    assert made.exposure.price == ()


def test_one_domain(log: Log, tmp_path: Path) -> None:
    of_search = changed(log, "requests", lambda rows: [row for row in rows if row["domain"] == "search"])
    assert "one domain" in audit_of(of_search, tmp_path).absent["sizes"]


def test_a_log_that_cannot_be_cut(tmp_path: Path) -> None:
    made = audit_folder(write_log(tmp_path / "logs"))
    assert isinstance(made, LogAudit)
    assert (made.cuts, made.drift, made.blind_spot) == (None, None, ())
    assert made.absent["drift"].startswith(
        "The requests cannot be cut into training and test (valid=0.1 and test=0.2 of 2 requests: a split"
        " would be"
    )
    assert [one.position for one in made.exposure.positions] == [1, 2]
    assert {one.split for one in made.spaces.rates} == {"all"}
    assert json.loads(json.dumps(made.to_dict(), allow_nan=False))["cuts"] is None
    assert any(one.figure == "drift" for one in made.findings)


def test_explicit_cuts_must_fit(log: Log, tmp_path: Path) -> None:
    logs = write(log, "int", tmp_path / "logs")
    with pytest.raises(CorankError, match="leaves nothing to train on"):
        audit_folder(logs, ["valid_from=2000-01-01", "test_from=2100-01-01"])


def test_the_truth_is_not_read_and_a_simulation_says_so(log: Log, tmp_path: Path) -> None:
    logs = write(log, "int", tmp_path / "logs")
    (logs / "truth").mkdir()
    (logs / "truth" / "requests.parquet").write_bytes(b"not for an audit")
    assert not audit_folder(logs, CUTS).simulated
    (logs / "simulation.json").write_text("{}")
    assert audit_folder(logs, CUTS).simulated


AWKWARD = ("split", "v", "before", "n", "logged", "u", "moment", 'a "b" {0} $x$', "select", "_under")


def test_columns_may_have_any_name(log: Log, tmp_path: Path) -> None:
    logs = write(log, "int", tmp_path / "logs")
    plain = audit_folder(logs, CUTS)
    for table in ("requests", "candidates", "events", "items", "users"):
        path = logs / f"{table}.parquet"
        rows = pq.read_table(path)
        for number, name in enumerate(AWKWARD):
            rows = rows.append_column(name, pa.array([(number + i) % 3 for i in range(len(rows))]))
        pq.write_table(rows, path)
    made = audit_folder(logs, CUTS)
    assert isinstance(plain, LogAudit)
    assert isinstance(made, LogAudit)
    assert made.drift is not None
    assert plain.drift is not None
    found = {(one.level, one.column) for one in made.drift.columns}
    assert {(level, name) for level in ("request", "candidate", "item", "user") for name in AWKWARD} <= found
    assert set(plain.drift.columns) <= set(made.drift.columns)
    assert (made.exposure, made.spaces, made.conversions) == (plain.exposure, plain.spaces, plain.conversions)


def test_columns_of_samples_may_have_any_name(log: Log, tmp_path: Path) -> None:
    logs = write(log, "int", tmp_path / "logs")
    names = [name for name in AWKWARD if not name.startswith("_")]
    for table, prefix in (("requests", "r_"), ("candidates", ""), ("items", "")):
        path = logs / f"{table}.parquet"
        rows = pq.read_table(path)
        for name in names:
            rows = rows.append_column(prefix + name, pa.array([i % 3 for i in range(len(rows))]))
        pq.write_table(rows, path)
    build_samples(logs, tmp_path / "samples", settings=[*CUTS, "duplicate_events=keep"])
    made = audit_folder(tmp_path / "samples")
    assert isinstance(made, SamplesAudit)
    found = {(one.level, one.column) for one in made.drift.columns}
    assert {("candidate", name) for name in names} | {("item", name) for name in names} <= found


def test_texts_with_many_values_are_not_compared(log: Log, tmp_path: Path) -> None:
    logs = write(log, "int", tmp_path / "logs")
    path = logs / "candidates.parquet"
    rows = pq.read_table(path)
    copies = pa.concat_tables([rows] * (3000 // len(rows) + 1))
    copies = copies.append_column("note", pa.array([f"note {i}" for i in range(len(copies))]))
    pq.write_table(copies.append_column("pair_id", pa.array(range(len(copies)))), path)
    made = audit_folder(logs, CUTS)
    assert isinstance(made, LogAudit)
    assert made.drift is not None
    assert {"note", "pair_id", "embedding"} <= set(made.drift.skipped)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("domains=[serach]", r"unknown domain 'serach' in domains \(table requests\); did you mean 'search'"),
        ("click_actions=[clack]", r"unknown action 'clack' in click_actions \(table events\).*'click'"),
        ("purchase_actions=[purchse]", r"unknown action 'purchse' in purchase_actions .*'purchase'"),
        ("domain=[rec]", "--set: unknown key 'domain'; did you mean 'domains'"),
        ("recipe=es3", "--set: unknown key 'recipe'"),
        ("attribution_hours=0", "'attribution_hours' = 0: input should be greater than"),
        ("valid=0.9", "leave nothing to train on"),
    ],
)
def test_settings_must_fit(log: Log, tmp_path: Path, setting: str, sentence: str) -> None:
    logs = write(log, "int", tmp_path / "logs")
    with pytest.raises(CorankError, match=sentence):
        audit_folder(logs, [setting])


def test_a_domain_without_lists(log: Log, tmp_path: Path) -> None:
    search = {row["request_id"] for row in log["requests"] if row["domain"] == "search"}
    bare = changed(log, "candidates", lambda rows: [r for r in rows if r["request_id"] not in search])
    with pytest.raises(CorankError, match="no candidates for any request of search"):
        audit_folder(write(bare, "int", tmp_path / "logs"), CUTS)


@pytest.mark.parametrize(
    ("table", "key"), [("requests", "request_id"), ("items", "item_id"), ("users", "user_id")]
)
def test_ids_name_one_row(log: Log, tmp_path: Path, table: str, key: str) -> None:
    twice = changed(log, table, lambda rows: [*rows, rows[0]])
    with pytest.raises(
        CorankError, match=rf"{table}.parquet: {key} has duplicates or nulls \(1 rows too many\)"
    ):
        audit_folder(write(twice, "int", tmp_path / "logs"), CUTS)


@pytest.fixture(scope="module")
def samples(log: Log, tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("edges")
    logs = write(log, "int", at / "logs")
    build_samples(logs, at / "samples", recipe="es3", settings=[*CUTS, "duplicate_events=keep"])
    return at / "samples"


def damaged(samples: Path, at: Path, name: str, damage: Callable[[bytes], bytes]) -> Path:
    copy = at / "samples"
    shutil.copytree(samples, copy)
    file = next(copy.glob(name))
    file.write_bytes(damage(file.read_bytes()))
    return copy


@pytest.mark.parametrize("name", ["train/*.parquet", "test/*.parquet", "items.parquet", "labels.parquet"])
def test_truncated_samples(samples: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(CorankError, match=r"cannot be read as Parquet .*made by corank samples"):
        audit_folder(damaged(samples, tmp_path, name, first_half))


@pytest.mark.parametrize("name", ["train/*.parquet", "labels.parquet", "items.parquet"])
def test_damaged_samples(samples: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(CorankError, match=r"cannot be read"):
        audit_folder(damaged(samples, tmp_path, name, noise_in_pages))


def test_samples_that_lack_something(samples: Path, tmp_path: Path) -> None:
    copy = tmp_path / "samples"
    shutil.copytree(samples, copy)
    ledger = pq.read_table(copy / "labels.parquet")
    pq.write_table(ledger.drop_columns(["fate"]), copy / "labels.parquet")
    with pytest.raises(CorankError, match=r"labels.parquet: lacks the column 'fate', which samples have"):
        audit_folder(copy)
    pq.write_table(ledger, copy / "labels.parquet")
    file = next((copy / "test").glob("*.parquet"))
    rows = pq.read_table(file)
    flat = rows.set_column(
        rows.schema.get_field_index("exposed"), "exposed", pc.list_value_length(rows["exposed"])
    )
    pq.write_table(flat, file)
    with pytest.raises(CorankError, match="column 'exposed' is int32, expected a list"):
        audit_folder(copy)
    shutil.rmtree(copy / "test")
    with pytest.raises(CorankError, match="test: no Parquet files; expected the split 'test'"):
        audit_folder(copy)


def test_samples_without_purchases(log: Log, tmp_path: Path) -> None:
    few = changed(log, "events", lambda rows: [row for row in rows if row["action"] != "purchase"])
    logs = write(few, "int", tmp_path / "logs")
    build_samples(logs, tmp_path / "samples", settings=[*CUTS, "duplicate_events=keep"])
    made = audit_folder(tmp_path / "samples")
    assert isinstance(made, SamplesAudit)
    assert made.credits is None
    assert made.absent["credits"].startswith("No purchase happened before validation begins")
    json.dumps(made.to_dict(), allow_nan=False)


def test_what_a_folder_is(samples: Path, tmp_path: Path) -> None:
    with pytest.raises(CorankError, match="nowhere: no such folder; expected logs or samples"):
        audit_folder(tmp_path / "nowhere")
    with pytest.raises(
        CorankError,
        match=r"neither samples \(manifest.json\) nor logs \(the tables requests, candidates, events, items",
    ):
        audit_folder(tmp_path)
    with pytest.raises(CorankError, match="samples are audited with the settings that they were built with"):
        audit_folder(samples, ["domains=[rec]"])
    partial = write_log(tmp_path / "partial", good_rows())
    (partial / "events.parquet").unlink()
    with pytest.raises(CorankError, match="no table events"):
        audit_folder(partial)
