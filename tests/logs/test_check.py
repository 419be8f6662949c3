"""Every rule breaks on a log made for it, and on no good one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.logs.tiny import Rows, event, good_rows, minutes, write_log

from corank.errors import CorankError
from corank.logs import check_logs, open_logs
from corank.logs.rules import rules_for

Break = Callable[[Rows], Any]


def null(table: str, column: str) -> Break:
    return lambda rows: rows[table][0].update({column: None})


def repeat(table: str, row: int = 0) -> Break:
    return lambda rows: rows[table].append(dict(rows[table][row]))


def change(table: str, row: int, column: str, value: Any) -> Break:
    return lambda rows: rows[table][row].update({column: value})


def add(table: str, row: dict[str, Any]) -> Break:
    return lambda rows: rows[table].append(dict(row))


def all_clicked(rows: Rows) -> None:
    rows["candidates"] = [row for row in rows["candidates"] if row["exposed"]]
    users = {row["request_id"]: row["user_id"] for row in rows["requests"]}
    rows["events"] = [
        event(users[row["request_id"]], row["item_id"], 60, "click", row["request_id"])
        for row in rows["candidates"]
    ]


def only_views(rows: Rows) -> None:
    for row in rows["events"]:
        row["action"] = "view"


def no_exposure(rows: Rows) -> None:
    for row in rows["candidates"]:
        if row["request_id"] == 4:
            row.update(exposed=False, position=None)


BREAKS: dict[str, Break] = {
    "items-null-item-id": add("items", {"item_id": None, "embedding": [0.0, 0.0]}),
    "items-repeated-id": repeat("items"),
    "items-embedding-length": change("items", 3, "embedding", [1.0, 2.0, 3.0]),
    "requests-embedding-length": change("requests", 2, "query_embedding", [1.0]),
    "users-null-user-id": add("users", {"user_id": None}),
    "users-repeated-id": repeat("users"),
    "requests-null-request-id": add(
        "requests", {"request_id": None, "user_id": "ann", "domain": "rec", "timestamp": minutes(1)}
    ),
    "requests-repeated-id": repeat("requests", 3),
    "requests-null-user-id": change("requests", 3, "user_id", None),
    "requests-unknown-user": change("requests", 3, "user_id", "zed"),
    "requests-null-domain": change("requests", 3, "domain", None),
    "requests-null-timestamp": change("requests", 3, "timestamp", None),
    "requests-impossible-time": change("requests", 3, "timestamp", minutes(-30 * 365 * 24 * 60)),
    "candidates-null-request-id": add("candidates", {"request_id": None, "item_id": 100, "exposed": False}),
    "candidates-unknown-request": add("candidates", {"request_id": 9, "item_id": 100, "exposed": False}),
    "candidates-null-item-id": add("candidates", {"request_id": 1, "exposed": False}),
    "candidates-unknown-item": add("candidates", {"request_id": 1, "item_id": 999, "exposed": False}),
    "candidates-repeated-item": repeat("candidates", 2),
    "candidates-null-exposed": change("candidates", 2, "exposed", None),
    "candidates-exposed-without-position": change("candidates", 1, "position", None),
    "candidates-unexposed-with-position": change("candidates", 2, "position", 3),
    "candidates-position-below-one": change("candidates", 1, "position", 0),
    "candidates-position-taken": change("candidates", 1, "position", 1),
    "requests-without-candidates": add(
        "requests",
        {"request_id": 5, "user_id": "ann", "domain": "rec", "timestamp": minutes(50), "query": None},
    ),
    "requests-without-exposure": no_exposure,
    "requests-query-outside-search": change("requests", 1, "query", "hat"),
    "requests-search-without-query": change("requests", 2, "query", " "),
    "events-null-user-id": change("events", 3, "user_id", None),
    "events-unknown-user": change("events", 3, "user_id", "zed"),
    "events-null-item-id": change("events", 3, "item_id", None),
    "events-unknown-item": change("events", 3, "item_id", 999),
    "events-null-timestamp": change("events", 3, "timestamp", None),
    "events-impossible-time": change("events", 3, "timestamp", minutes(50 * 365 * 24 * 60)),
    "events-null-action": change("events", 3, "action", None),
    "events-null-domain": change("events", 3, "domain", None),
    "events-unknown-request": change("events", 3, "request_id", 9),
    "events-other-user": change("events", 1, "user_id", "bob"),
    "events-before-request": change("events", 1, "timestamp", minutes(9.9)),
    "events-item-outside-list": change("events", 1, "item_id", 104),
    "events-item-unexposed": change("events", 1, "item_id", 103),
    "events-impossible-value": change("events", 1, "value", float("nan")),
    "events-repeated": repeat("events", 3),
    "log-without-events": lambda rows: rows["events"].clear(),
    "log-without-clicks": only_views,
    "log-all-clicked": all_clicked,
    "log-empty-column": lambda rows: [row.update(price=None) for row in rows["candidates"]],
}


def broken_log(folder: Path, rule: str) -> Path:
    rows = good_rows()
    BREAKS[rule](rows)
    return write_log(folder, rows)


def test_every_rule_has_a_log_that_breaks_it(tmp_path: Path) -> None:
    assert {rule.name for rule in rules_for(open_logs(write_log(tmp_path)))} == set(BREAKS)


def test_every_rule_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "logs.md").read_text(encoding="utf-8")
    assert [name for name in BREAKS if name not in page] == []


def test_a_good_log_breaks_no_rule(tmp_path: Path) -> None:
    report = check_logs(write_log(tmp_path))
    assert report.findings == ()
    report.raise_if_broken()


@pytest.mark.parametrize("name", BREAKS)
def test_a_rule_breaks_alone(tmp_path: Path, name: str) -> None:
    log = open_logs(broken_log(tmp_path, name))
    report = check_logs(log)
    assert [finding.rule for finding in report.findings] == [name]
    (finding,) = report.findings
    (rule,) = {
        rule.name: rule for rule in rules_for(log) if (rule.name, rule.column) == (name, finding.column)
    }.values()
    assert finding.count == 1
    assert finding.table == rule.table
    assert finding.severity == rule.severity
    json.dumps(report.to_dict(), allow_nan=False)
    if rule.severity == "error":
        with pytest.raises(CorankError, match=name):
            report.raise_if_broken()
    else:
        report.raise_if_broken()


def test_a_finding_shows_the_first_broken_row(tmp_path: Path) -> None:
    (finding,) = check_logs(broken_log(tmp_path, "candidates-exposed-without-position")).findings
    assert finding.example == {"request_id": 1, "item_id": 102, "exposed": True, "position": None}
    assert "candidates.position: an exposed item has no position" in str(finding)


def test_the_error_counts_the_other_broken_rules(tmp_path: Path) -> None:
    rows = good_rows()
    for name in ("users-repeated-id", "events-null-action", "events-impossible-value"):
        BREAKS[name](rows)
    with pytest.raises(CorankError, match=r"users-repeated-id.*2 other rules are broken too"):
        check_logs(write_log(tmp_path, rows)).raise_if_broken()


def test_rows_are_counted_each(tmp_path: Path) -> None:
    rows = good_rows()
    rows["users"] += [{"user_id": "ann"}, {"user_id": "ann"}, {"user_id": None}, {"user_id": None}]
    counts = {finding.rule: finding.count for finding in check_logs(write_log(tmp_path, rows)).findings}
    assert counts == {"users-null-user-id": 2, "users-repeated-id": 2}


def test_the_summary_counts_the_log(tmp_path: Path) -> None:
    summary = check_logs(write_log(tmp_path)).summary
    assert summary.rows == {"requests": 4, "candidates": 12, "events": 4, "items": 5, "users": 3}
    assert (summary.first_request, summary.last_event) == (
        "2024-05-01T12:10:00.000000Z",
        "2024-05-01T12:21:00.000000Z",
    )
    assert summary.requests_by_domain == {"rec": 2, "search": 2}
    assert (summary.exposed, summary.candidates_per_request, summary.most_candidates) == (8, 3.0, 3)
    assert (summary.clicks, summary.purchases) == (2, 1)
    rates = [(rate.position, rate.exposed, rate.clicked) for rate in summary.click_rate_by_position]
    assert rates == [(1, 4, 1), (2, 4, 1)]


def test_paths_are_taken_as_they_are(tmp_path: Path) -> None:
    log = write_log(tmp_path / "device=7" / "it's [a] log*")
    assert check_logs(log).findings == ()


def test_damage_behind_the_footer_is_one_sentence(tmp_path: Path) -> None:
    log = write_log(tmp_path)
    file = log / "candidates.parquet"
    body = bytearray(file.read_bytes())
    metadata = pq.read_metadata(file).row_group(0).column(0)
    start = metadata.dictionary_page_offset or metadata.data_page_offset
    body[start : start + 8] = b"\xff" * 8
    file.write_bytes(bytes(body))
    with pytest.raises(CorankError, match="its tables cannot be read"):
        check_logs(log)
