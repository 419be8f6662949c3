"""The audit of samples agrees with plain Python over the rows of the store, and with the audit of the log."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.samples import audit_oracle as oracle
from tests.samples.audit_oracle import Row, same
from tests.samples.generated import CUTS, explicit_cuts, random_log, write
from tests.samples.oracle import Log

from corank.samples import build_samples
from corank.samples.audit import LogAudit, SamplesAudit, audit_folder
from corank.samples.audit.skew import ALL_NEGATIVES, CANDIDATES

SPLITS = ("train", "valid", "test")
SETTINGS = [*explicit_cuts(), f"attribution_hours={2.5 / 3600}"]
BUILD = ["duplicate_events=keep", "row_group_samples=20", "file_samples=50", "unexposed_per_exposed=0.5"]
WEIGHTS = ["attributed_weight=0.5", "searchified_weight=0.25"]


@dataclass(frozen=True)
class Audited:
    """Samples, their audit, and the rows of the store."""

    recipe: str
    log: Log
    logs: Path
    audit: SamplesAudit
    rows: list[Row]
    ledger: list[Row]

    @property
    def test(self) -> list[Row]:
        return [row for row in self.rows if row["split"] == 2]

    @property
    def train(self) -> list[Row]:
        return [row for row in self.rows if row["split"] == 0]


def read(folder: Path) -> list[Row]:
    """The rows of the store, one a sample."""
    rows = []
    for split, name in enumerate(SPLITS):
        for file in sorted((folder / name).glob("*.parquet")):
            for place, request in enumerate(pq.read_table(file).to_pylist()):
                head = {
                    "request": (file, place),
                    "user": request["user_id"],
                    "query": request["query"],
                    "split": split,
                    "logged": request["query_source"] == "logged",
                }
                lists = {key: value for key, value in request.items() if isinstance(value, list)}
                for values in zip(*lists.values(), strict=True):
                    item = dict(zip(lists, values, strict=True))
                    rows.append(
                        {
                            **item,
                            **head,
                            "item": item["item_id"],
                            "click": item["label_source"] == "own",
                            "purchase": item["purchase_source"] == "own",
                            "any_click": item["anywhere_click"] == 1,
                            "any_purchase": item["anywhere_purchase"] == 1,
                        }
                    )
    return rows


@pytest.fixture(
    scope="module",
    params=[(31, "int", "es3"), (32, "text", "attributed"), (33, "int", "exposed")],
    ids=["es3", "attributed", "exposed"],
)
def audited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    seed, ids, recipe = request.param
    log = random_log(seed, ids, parts=40, events=80)
    at = tmp_path_factory.mktemp("audit")
    logs = write(log, ids, at / "logs")
    more = WEIGHTS if recipe == "es3" else []
    build_samples(logs, at / "samples", recipe=recipe, settings=[*SETTINGS, *BUILD, *more])
    audit = audit_folder(at / "samples")
    assert isinstance(audit, SamplesAudit)
    ledger = pq.read_table(at / "samples" / "labels.parquet").to_pylist()
    return Audited(recipe, log, logs, audit, read(at / "samples"), ledger)


def space(row: Row) -> str:
    return "searchified" if not row["logged"] else "exposed" if row["exposed"] else "unexposed"


def test_rates_by_space(audited: Audited) -> None:
    found = {(one.split, one.space): one for one in audited.audit.spaces.rates}
    assert set(found) == {(SPLITS[row["split"]], space(row)) for row in audited.rows}
    for (split, name), one in found.items():
        rows = [row for row in audited.rows if (SPLITS[row["split"]], space(row)) == (split, name)]
        rates = (one.own_click, one.own_purchase, one.any_click, one.any_purchase)
        for flag, rate in zip(oracle.FLAGS, rates, strict=True):
            assert same(rate, oracle.rate(rows, itemgetter(flag)))


def test_the_test_split_is_the_log_s(audited: Audited) -> None:
    """What both audits can tell, they tell alike: the test split is the same in every recipe."""
    log = audit_folder(audited.logs, SETTINGS)
    assert isinstance(log, LogAudit)
    assert audited.audit.exposure == log.exposure
    assert log.drift is not None
    assert audited.audit.spaces.purchases_unexposed == log.spaces.purchases_unexposed
    later = [one for one in audited.audit.spaces.rates if one.split != "train"]
    assert later == [one for one in log.spaces.rates if one.split != "train"]
    exposed, trained = audited.audit.blind_spot
    assert exposed == log.blind_spot[0]
    assert trained.candidates.count <= exposed.candidates.count


def test_sources(audited: Audited) -> None:
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in audited.train:
        groups[space(row), row["label_source"] or "none"].append(row)
    assert {(one.space, one.source) for one in audited.audit.sources} == set(groups)
    for one in audited.audit.sources:
        rows = groups[one.space, one.source]
        whole = [row for row in audited.train if space(row) == one.space]
        assert one.purchases == sum(row["label_purchase"] for row in rows)
        assert one.mean_weight == pytest.approx(sum(row["weight"] for row in rows) / len(rows))
        whole = [{**row, "counted": (row["label_source"] or "none") == one.source} for row in whole]
        assert same(one.share, oracle.rate(whole, itemgetter("counted")))
    if audited.recipe == "es3":
        assert {one.mean_weight for one in audited.audit.sources} == {1.0, 0.5, 0.25}


def credit(bought: Row, ledger: list[Row]) -> str:
    """Who credits a purchase of the ledger."""

    def about(event: Row, *keys: str) -> bool:
        return all(event[key] == bought[key] for key in keys)

    if bought["fate"] == "purchase_clicked":
        return "last_search_click"
    if bought["fate"] == "labels":
        clicked = any(
            event["fate"] == "labels"
            and event["action"] == "click"
            and about(event, "labelled_request_id", "item_id")
            and event["timestamp"] < bought["timestamp"]
            for event in ledger
        )
        return "last_search_click" if clicked else "own_request"
    if bought["fate"] in ("purchase_exposed", "purchase_unexposed"):
        return "hierarchy"
    made = any(
        event["fate"] == "searchified" and about(event, "user_id", "request_id", "item_id")
        for event in ledger
    )
    return "searchified" if made else "nobody"


def test_credits(audited: Audited) -> None:
    before = audited.audit.manifest.valid_from
    ledger = [event for event in audited.ledger if event["timestamp"] < before]
    bought = [event for event in ledger if event["action"] == "purchase"]
    expected = Counter((event["domain"], event["fate"], credit(event, ledger)) for event in bought)
    found = audited.audit.credits
    assert found is not None
    assert {(one.domain, one.fate, one.credit): one.purchases for one in found.table} == expected
    rows = [{"user": event["user_id"], "credit": credit(event, ledger)} for event in bought]
    assert same(found.labelled, oracle.rate(rows, lambda row: row["credit"] != "nobody"))
    assert same(found.last_search_click, oracle.rate(rows, lambda row: row["credit"] == "last_search_click"))
    credits = {one.credit for one in found.table}
    if audited.recipe == "es3":
        assert credits == {"last_search_click", "own_request", "hierarchy", "searchified", "nobody"}


def test_popularity_of_samples(audited: Audited) -> None:
    clicks = oracle.popularity(audited.log, CUTS[0])
    scored = sorted(clicks[row["item"]] for row in audited.test)
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in audited.train:
        kind = {
            "exposed": "exposed negatives",
            "unexposed": "drawn negatives",
            "searchified": "searchified negatives",
        }
        groups["positives" if row["label_click"] else kind[space(row)]].append(row)
        if not row["label_click"]:
            groups[ALL_NEGATIVES].append(row)
    groups[CANDIDATES] = audited.test

    def shares(rows: list[Row]) -> list[float]:
        places = [
            min(10, 1 + 10 * sum(other < clicks[row["item"]] for other in scored) // len(scored))
            for row in rows
        ]
        return [places.count(place) / len(places) for place in range(1, 11)]

    reference = shares(audited.test)
    assert audited.audit.skew[0].group == CANDIDATES
    assert {group.group for group in audited.audit.skew} == set(groups)
    for group in audited.audit.skew:
        own = shares(groups[group.group])
        assert group.samples == len(groups[group.group])
        assert list(group.shares) == pytest.approx(own)
        distance = sum(max(one - other, 0) for one, other in zip(own, reference, strict=True))
        assert group.distance == pytest.approx(distance, abs=1e-12)
        assert group.mean_decile == pytest.approx(sum(place * one for place, one in enumerate(own, 1)))


def test_columns_that_moved(audited: Audited) -> None:
    shown = [row for row in audited.rows if row["exposed"] and row["logged"]]
    groups: list[list[Any]] = [
        [row for row in shown if row["split"] == 0],
        [row for row in shown if row["split"] == 2],
        audited.train,
        audited.test,
    ]
    columns = {(one.level, one.column): one for one in audited.audit.drift.columns}
    for name in ("price", "item_clicks", "user_touches", "session_since_touch", "price_from_touch"):
        values = [[row[name] for row in rows] for rows in groups]
        found = columns["candidate", name]
        bins = oracle.number_bins(values[0])
        assert found.drift == pytest.approx(oracle.stability(values[0], values[1], bins)), name
        assert found.gap == pytest.approx(oracle.stability(values[2], values[3], bins)), name
        known = [value for value in values[2] if value is not None]
        valued = [value for value in values[3] if value is not None]
        outside = sum(not min(known) <= value <= max(known) for value in valued) if known else 0
        assert (found.beyond and (found.beyond.count, found.beyond.of)) == (
            (outside, len(valued)) if known and valued else None
        )
        assert found.grows == (name in ("item_clicks", "user_touches"))
    names = {one.column for one in audited.audit.drift.columns}
    assert names.isdisjoint({"label_click", "weight", "position", "anywhere_click", "query", "user_id"})
    assert {"user_country", "category", "price_rank"} <= names


def test_newcomers_and_the_blind_spot(audited: Audited) -> None:
    known = {key: {row[key] for row in audited.train} for key in ("item", "user", "query")}
    for one in audited.audit.drift.unseen:
        told = [row for row in audited.test if row[one.what] is not None]
        rows = [{**row, "new": row[one.what] not in known[one.what]} for row in told]
        assert same(one.candidates, oracle.rate(rows, itemgetter("new")))
    trained = audited.audit.blind_spot[1]
    assert same(trained.candidates, oracle.rate(audited.test, lambda row: row["item"] not in known["item"]))
    shown = {row["item"] for row in audited.train if row["exposed"] and row["logged"]}
    exposed = audited.audit.blind_spot[0]
    assert same(exposed.candidates, oracle.rate(audited.test, lambda row: row["item"] not in shown))


def test_the_document_is_strict_and_the_same_each_time(audited: Audited) -> None:
    values = audited.audit.to_dict()
    text = json.dumps(values, allow_nan=False)
    assert json.loads(text) == values
    assert json.dumps(audit_folder(Path(audited.audit.folder)).to_dict()) == text
    assert values["manifest"]["sizes"] == audited.audit.manifest.model_dump(mode="json")["sizes"]


def test_findings_fit_the_recipe(audited: Audited) -> None:
    findings = audited.audit.findings
    assert 3 <= len(findings) <= 7
    figures = {one.figure for one in findings}
    assert "credits.labelled" in figures
    advice = " ".join(one.advice for one in findings)
    assert ("--recipe attributed" in advice) == (audited.recipe == "exposed")


def test_lists_set_apart_are_seen_through(audited: Audited, tmp_path: Path) -> None:
    """Only what models see in training is another: requests are counted once, rows are the same."""
    settings = [*SETTINGS, *BUILD, *(WEIGHTS if audited.recipe == "es3" else []), "unexposed_domain=unseen"]
    build_samples(audited.logs, tmp_path / "samples", recipe=audited.recipe, settings=settings)
    apart = audit_folder(tmp_path / "samples")
    assert isinstance(apart, SamplesAudit)
    more = apart.manifest.sizes["train"].requests - audited.audit.manifest.sizes["train"].requests
    assert (more > 0) == (audited.recipe != "exposed")
    values, usual = apart.to_dict(), audited.audit.to_dict()
    for one in (values, usual):
        assert one.pop("folder")
        assert one.pop("manifest")
        for column in one["drift"]["columns"]:
            if column["level"] == "request":
                del column["gap"], column["beyond"]
    assert values == usual
