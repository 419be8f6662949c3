"""Cases that generated logs rarely hold, made by hand; and the small marketplace."""

from __future__ import annotations

import shutil
from collections import Counter
from operator import itemgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.logs.tiny import event, good_rows, write_log
from tests.samples import audit_oracle as oracle
from tests.samples.audit_oracle import same
from tests.samples.test_audit_samples import credit, read

from corank.samples import build_samples
from corank.samples.audit import LogAudit, SamplesAudit, audit_folder


@pytest.fixture(scope="module")
def market(market_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of the small marketplace, with pseudo requests."""
    out = tmp_path_factory.mktemp("market") / "samples"
    build_samples(market_logs, out, recipe="es3", settings=["exposure_counts=false"])
    return out


def test_an_older_click_may_be_of_a_later_search(tmp_path: Path) -> None:
    """Ann clicks in her second search, goes back to the first and clicks there; then buys.

    The window counts from a click's search: that of the last click lies too far back, the other's does not.
    """
    rows = good_rows()  # ann searches at minutes 10 and 30; item 101 is shown by the first
    rows["candidates"].append({"request_id": 3, "item_id": 101, "exposed": True, "position": 3, "price": 1.0})
    rows["events"] = [
        event("ann", 101, 31, "click", 3),
        event("ann", 101, 32, "click", 1),
        event("ann", 101, 40, "purchase", None),
    ]
    made = audit_folder(write_log(tmp_path / "logs", rows), ["attribution_hours=0.25"])
    assert isinstance(made, LogAudit)
    assert made.conversions is not None
    (found,) = made.conversions.domains
    assert (found.domain, found.purchases, found.credited) == ("rec", 1, 1)


def test_values_beyond_those_of_training_lie_on_both_sides(market_logs: Path, tmp_path: Path) -> None:
    """Prices of the test requests are made the lowest and the highest of all."""
    plain = audit_folder(market_logs)
    assert isinstance(plain, LogAudit)
    assert plain.cuts is not None
    logs = tmp_path / "logs"
    shutil.copytree(market_logs, logs, ignore=shutil.ignore_patterns("truth"))
    late = {
        row["request_id"]
        for row in pq.read_table(logs / "requests.parquet").to_pylist()
        if row["timestamp"] >= plain.cuts.test_from and row["domain"] == "search"
    }
    candidates = pq.read_table(logs / "candidates.parquet")
    prices = [
        [-1.0, 1e9, price][place % 3] if request in late else price
        for place, (request, price) in enumerate(
            zip(candidates["request_id"].to_pylist(), candidates["price"].to_pylist(), strict=True)
        )
    ]
    at = candidates.schema.get_field_index("price")
    pq.write_table(candidates.set_column(at, "price", pa.array(prices)), logs / "candidates.parquet")
    made = audit_folder(logs)
    assert isinstance(made, LogAudit)
    assert made.drift is not None
    (price,) = (one for one in made.drift.columns if (one.level, one.column) == ("candidate", "price"))
    assert price.beyond is not None
    assert price.beyond.count / price.beyond.of == pytest.approx(2 / 3, abs=0.01)
    assert price.drift is not None
    assert price.drift > 1
    assert made.findings[0].figure in ("drift.columns", "drift.columns.gap")


def test_a_pseudo_request_has_shown_nothing(market: Path) -> None:
    """Its items were exposed elsewhere: they are trained on, but no search has exposed them."""
    made = audit_folder(market)
    assert isinstance(made, SamplesAudit)
    rows = read(market)
    train, test = ([row for row in rows if row["split"] == split] for split in (0, 2))
    items = {row["item"] for row in train}
    exposed = {row["item"] for row in train if row["exposed"] and row["logged"]}
    elsewhere = {row["item"] for row in train if row["exposed"]}
    assert any(row["item"] in elsewhere - exposed for row in test)
    for blind, known in zip(made.blind_spot, (exposed, items), strict=True):
        told = [{**row, "new": row["item"] not in known} for row in test]
        assert same(blind.candidates, oracle.rate(told, itemgetter("new")))


def test_a_purchase_of_another_user_is_not_the_pseudo_request_s(market: Path, tmp_path: Path) -> None:
    copy = tmp_path / "samples"
    shutil.copytree(market, copy)
    ledger = pq.read_table(copy / "labels.parquet")
    rows = ledger.to_pylist()
    made = next(row for row in rows if row["fate"] == "searchified")
    bought = {**made, "action": "purchase", "labelled_request_id": None}
    someone = next(row["user_id"] for row in rows if row["user_id"] != made["user_id"])
    rows += [
        {**bought, "fate": "other_request"},
        {**bought, "fate": "other_user", "user_id": someone, "domain": "elsewhere"},
    ]
    pq.write_table(pa.Table.from_pylist(rows, ledger.schema), copy / "labels.parquet")
    audit = audit_folder(copy)
    assert isinstance(audit, SamplesAudit)
    assert audit.credits is not None
    before = [row for row in rows if row["timestamp"] < audit.manifest.valid_from]
    expected = Counter(
        (row["domain"], row["fate"], credit(row, before)) for row in before if row["action"] == "purchase"
    )
    assert {(one.domain, one.fate, one.credit): one.purchases for one in audit.credits.table} == expected
    assert expected["elsewhere", "other_user", "nobody"] == 1


def test_the_marketplace_has_what_an_audit_looks_for(market_logs: Path) -> None:
    """Its ranker favours popular items, its users look at the top, and buy elsewhere."""
    made = audit_folder(market_logs)
    assert isinstance(made, LogAudit)
    assert made.simulated
    assert made.conversions is not None
    first, *_, last = made.exposure.popularity
    assert first.exposed.high is not None
    assert last.exposed.low is not None
    assert last.exposed.low > 2 * first.exposed.high
    places = made.exposure.positions
    assert places[0].clicked.count > 2 * places[-1].clicked.count
    assert 0 < made.conversions.missed.count < made.conversions.missed.of
    assert {one.level for one in made.findings} >= {"act"}
