"""The audit of a log agrees with plain Python, figure by figure."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from tests.samples import audit_oracle as oracle
from tests.samples.audit_oracle import FLAGS, Row, same
from tests.samples.generated import CUTS, explicit_cuts, random_log, write
from tests.samples.oracle import Log

from corank.samples.audit import LogAudit, audit_folder
from corank.samples.audit.stability import Moved

SECONDS = 2.5
WINDOW = 2_500_000
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Audited:
    """A log, its audit, and the rows that the audit is about."""

    log: Log
    domains: tuple[str, ...]
    audit: LogAudit
    rows: list[Row]

    @property
    def test(self) -> list[Row]:
        return [row for row in self.rows if row["split"] == 2]

    @property
    def train(self) -> list[Row]:
        return [row for row in self.rows if row["split"] == 0]


@pytest.fixture(
    scope="module",
    params=[(21, "int", ("search",)), (22, "text", ("search",)), (23, "int", ("search", "rec"))],
    ids=["int", "text", "two domains"],
)
def audited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    seed, ids, domains = request.param
    log = random_log(seed, ids, parts=30, events=60, users=3)
    chance = random.Random(seed)
    for row in log["candidates"]:
        if chance.random() < 0.1:
            row["price"] = chance.choice([float("nan"), float("inf"), 7.25, 9.5])
        row["position"] = chance.choice([None, 1, 2, 30]) if row["exposed"] else None
    folder = write(log, ids, tmp_path_factory.mktemp("audit") / "logs")
    settings = [*explicit_cuts(), f"attribution_hours={SECONDS / 3600}", f"domains=[{','.join(domains)}]"]
    audit = audit_folder(folder, settings)
    assert isinstance(audit, LogAudit)
    return Audited(log, domains, audit, oracle.log_rows(log, domains, CUTS, WINDOW))


def test_rates_by_space(audited: Audited) -> None:
    found = {(one.split, one.space): one for one in audited.audit.spaces.rates}
    assert len(found) == 6
    for (split, space), one in found.items():
        rows = [
            row
            for row in audited.rows
            if SPLITS[row["split"]] == split and row["exposed"] == (space == "exposed")
        ]
        assert one.rows == len(rows)
        rates = (one.own_click, one.own_purchase, one.any_click, one.any_purchase)
        for flag, rate in zip(FLAGS, rates, strict=True):
            assert same(rate, oracle.rate(rows, itemgetter(flag)))
    for flag, rate in (
        ("any_click", audited.audit.spaces.clicks_unexposed),
        ("any_purchase", audited.audit.spaces.purchases_unexposed),
    ):
        bought = [row for row in audited.test if row[flag]]
        assert len(bought) > 10
        assert same(rate, oracle.rate(bought, lambda row: not row["exposed"]))


def test_positions(audited: Audited) -> None:
    places = audited.audit.exposure.positions
    assert [place.position for place in places] == [1, 2]
    for place in places:
        rows = [row for row in audited.test if row["exposed"] and row["position"] == place.position]
        assert same(place.clicked, oracle.rate(rows, lambda row: row["click"]))


def finite(row: Row) -> bool:
    price = row["price"]
    return price is not None and abs(price) < float("inf")


def test_deciles(audited: Audited) -> None:
    clicks = oracle.popularity(audited.log, CUTS[0])
    priced = [row for row in audited.test if finite(row)]
    assert 0 < len(priced) < len(audited.test)
    for deciles, rows, value in (
        (audited.audit.exposure.popularity, audited.test, lambda row: clicks[row["item"]]),
        (audited.audit.exposure.price, priced, lambda row: row["price"]),
    ):
        values = [value(row) for row in rows]
        places = oracle.deciles(values)
        assert [one.decile for one in deciles] == sorted(set(places))
        for one in deciles:
            own = [row for row, place in zip(rows, places, strict=True) if place == one.decile]
            assert (one.low, one.high) == (min(map(value, own)), max(map(value, own)))
            assert one.items == len({row["item"] for row in own})
            assert same(one.exposed, oracle.rate(own, lambda row: row["exposed"]))
            assert same(one.clicked, oracle.rate(own, lambda row: row["click"], lambda row: row["exposed"]))


def test_conversions(audited: Audited) -> None:
    found = audited.audit.conversions
    expected = oracle.conversions(audited.log, audited.domains, WINDOW)
    assert found is not None
    places = ("credited", "exposed", "unexposed", "not_listed", "no_search")
    for one in found.domains:
        counts = {place: getattr(one, place) for place in places}
        assert counts == {place: expected[one.domain][place] for place in places}
        assert one.purchases == sum(counts.values())
    assert {one.domain for one in found.domains} == set(expected)
    totals = {place: sum(counts[place] for counts in expected.values()) for place in places}
    assert all(totals[place] > 0 for place in places)
    purchases = [event for event in audited.log["events"] if event["action"] == "purchase"]
    assert (found.missed.of, found.missed.count) == (len(purchases), len(purchases) - totals["credited"])
    assert (found.scored.of, found.scored.count) == (
        found.missed.count,
        totals["exposed"] + totals["unexposed"],
    )
    first = min(r["timestamp"] for r in audited.log["requests"] if r["domain"] in audited.domains)
    assert found.early == sum(event["timestamp"] < first + WINDOW for event in purchases)


def test_newcomers(audited: Audited) -> None:
    assert audited.audit.drift is not None
    known = {key: {row[key] for row in audited.train} for key in ("item", "user", "query")}
    for one in audited.audit.drift.unseen:

        def new(row: Row, what: str = one.what) -> bool:
            return row[what] not in known[what]

        def told(row: Row, what: str = one.what) -> bool:
            return row[what] is not None

        assert same(one.candidates, oracle.rate(audited.test, new, told))
        assert same(one.clicks, oracle.rate([row for row in audited.test if row["click"]], new, told))
        requests: dict[Any, Row] = {}
        for row in audited.test:
            whole = requests.setdefault(row["request"], {**row, "new": False})
            whole["new"] = whole["new"] or new(row)
        assert same(one.requests, oracle.rate(requests.values(), lambda row: row["new"], told))


def test_periods(audited: Audited) -> None:
    assert audited.audit.drift is not None
    for index, period in enumerate(audited.audit.drift.periods):
        rows = [row for row in audited.rows if row["split"] == index]
        shown = [row for row in rows if row["exposed"]]
        assert (period.split, period.requests) == (SPLITS[index], len({row["request"] for row in rows}))
        assert (period.rows, period.exposed) == (len(rows), len(shown))
        assert same(period.clicked, oracle.rate(shown, lambda row: row["click"]))


def test_blind_spot(audited: Audited) -> None:
    clicks = oracle.popularity(audited.log, CUTS[0])
    places = oracle.deciles([clicks[row["item"]] for row in audited.test])
    seen = {
        "exposed": {row["item"] for row in audited.train if row["exposed"]},
        "trained": {row["item"] for row in audited.train},
    }
    assert [one.basis for one in audited.audit.blind_spot] == list(seen)
    for one in audited.audit.blind_spot:

        def new(row: Row, basis: str = one.basis) -> bool:
            return row["item"] not in seen[basis]

        assert same(one.candidates, oracle.rate(audited.test, new))
        assert same(one.exposed, oracle.rate(audited.test, new, lambda row: row["exposed"]))
        assert same(one.unexposed, oracle.rate(audited.test, new, lambda row: not row["exposed"]))
        assert same(one.clicks, oracle.rate(audited.test, new, lambda row: row["any_click"]))
        assert same(one.purchases, oracle.rate(audited.test, new, lambda row: row["any_purchase"]))
        for decile, rate in one.deciles.items():
            own = [row for row, place in zip(audited.test, places, strict=True) if str(place) == decile]
            assert same(rate, oracle.rate(own, new))


def column(audited: Audited, level: str, name: str) -> Moved:
    assert audited.audit.drift is not None
    (found,) = (one for one in audited.audit.drift.columns if (one.level, one.column) == (level, name))
    return found


def compare(
    found: Moved,
    groups: Sequence[Sequence[Any]],
    bin_of: Callable[[Any], Any],
    beyond: tuple[int, int] | None,
) -> None:
    before, after, trained, scored = groups
    assert found.drift == pytest.approx(oracle.stability(before, after, bin_of))
    assert found.gap == pytest.approx(oracle.stability(trained, scored, bin_of))
    assert (found.beyond and (found.beyond.count, found.beyond.of)) == beyond


def test_columns_that_moved(audited: Audited) -> None:
    shown = [row for row in audited.train if row["exposed"]]
    groups = (audited.train, audited.test, shown, audited.test)
    prices = [[row["price"] for row in rows] for rows in groups]
    known = [row["price"] for row in shown if finite(row)]
    valued = [row["price"] for row in audited.test if finite(row)]
    outside = sum(price < min(known) or price > max(known) for price in valued)
    moved = column(audited, "candidate", "price")
    compare(moved, prices, oracle.number_bins(prices[0]), (outside, len(valued)))
    users = [len({row["user"] for row in rows}) for rows in groups[:2]]
    bins = {oracle.number_bins(prices[0])(price) for price in (*prices[0], *prices[1])}
    assert moved.chance == pytest.approx((len(bins) - 1) * sum(1 / count for count in users))

    kinds = {item["item_id"]: item["category"] for item in audited.log["items"]}
    categories = [[kinds.get(row["item"]) for row in rows] for rows in groups]
    known_kinds = {kind for kind in categories[2] if kind is not None}
    valued_kinds = [kind for kind in categories[3] if kind is not None]
    new = sum(kind not in known_kinds for kind in valued_kinds)
    compare(column(audited, "item", "category"), categories, lambda kind: kind, (new, len(valued_kinds)))

    countries = {user["user_id"]: user["country"] for user in audited.log["users"]}
    asked = [
        [
            countries[user]
            for _, user in sorted({(str(row["request"]), row["user"]) for row in rows})
            if user in countries
        ]
        for rows in groups
    ]
    asked[2] = asked[0]
    found = column(audited, "user", "country")
    assert found.drift == pytest.approx(oracle.stability(asked[0], asked[1], lambda one: one))
    names = {one.column for one in audited.audit.drift.columns} if audited.audit.drift else set()
    assert ("domain" in names) == (len(audited.domains) > 1)
    assert "session_id" in audited.audit.drift.skipped if audited.audit.drift else False


def test_sizes(audited: Audited) -> None:
    domains = {request["request_id"]: request["domain"] for request in audited.log["requests"]}
    listed = {row["request_id"] for row in audited.log["candidates"]}
    for one in audited.audit.sizes.domains:
        rows = [row for row in audited.log["candidates"] if domains[row["request_id"]] == one.domain]
        own = [name for name, domain in domains.items() if domain == one.domain]
        assert (one.requests, one.with_list) == (len(own), len(listed.intersection(own)))
        assert (one.candidates, one.exposed.count) == (len(rows), sum(row["exposed"] for row in rows))
    counted = {
        (domain, action): count
        for domain, counts in audited.audit.sizes.events.items()
        for action, count in counts.items()
    }
    events = [(event["domain"], event["action"]) for event in audited.log["events"]]
    assert counted == {pair: events.count(pair) for pair in set(events)}


def test_the_document_is_strict_and_the_same_each_time(audited: Audited) -> None:
    values = audited.audit.to_dict()
    text = json.dumps(values, allow_nan=False)
    assert json.loads(text) == values
    settings = [
        *explicit_cuts(),
        f"attribution_hours={SECONDS / 3600}",
        f"domains=[{','.join(audited.domains)}]",
    ]
    assert json.dumps(audit_folder(Path(audited.audit.folder), settings).to_dict()) == text


def test_findings_are_few_and_worst_first(audited: Audited) -> None:
    findings = audited.audit.findings
    assert 3 <= len(findings) <= 7
    levels = [("act", "watch", "fine").index(one.level) for one in findings]
    assert levels == sorted(levels)
    assert all(one.sentence.endswith(".") and one.figure for one in findings)
    assert all(bool(one.advice) == (one.level != "fine") for one in findings)
