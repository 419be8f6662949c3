"""Copies of a log without the rows that break named rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs.test_check import BREAKS, broken_log
from tests.logs.tiny import Rows, good_rows, read_log, write_log

from corank.errors import CorankError
from corank.files import read_json
from corank.logs import LogReport, check_logs, open_logs
from corank.logs.rules import rules_for


def droppable(folder: Path) -> list[str]:
    return [rule.name for rule in rules_for(open_logs(write_log(folder))) if rule.droppable]


@pytest.mark.parametrize("name", BREAKS)
def test_a_droppable_rules_row_goes_and_is_counted(tmp_path: Path, name: str) -> None:
    log, out = broken_log(tmp_path / "log", name), tmp_path / "out"
    if name not in droppable(tmp_path / "good"):
        with pytest.raises(CorankError, match=f"'{name}' is about a whole column or log"):
            check_logs(log, out=out, drop=[name])
        assert not out.exists()
        return
    report = check_logs(log, out=out, drop=[name])
    assert report.dropped == {name: 1}
    assert report.errors == ()
    table = name.split("-")[0]
    before, after = open_logs(log), open_logs(out)
    for other in before.tables:
        gone = before.rows(other) - after.rows(other)
        assert gone == (other == table) + report.cascaded.get(other, 0)
    assert read_json(out / "check.json")["dropped"] == report.dropped


def test_rows_that_stay_are_unchanged_and_in_order(tmp_path: Path) -> None:
    rows = good_rows()
    rows["users"].insert(1, dict(rows["users"][0]))
    check_logs(write_log(tmp_path / "log", rows), out=tmp_path / "out", drop=["users-repeated-id"])
    assert read_log(tmp_path / "out") == good_rows()


def test_a_dropped_request_takes_its_candidates_and_its_events_lose_their_link(tmp_path: Path) -> None:
    rows = good_rows()
    rows["requests"][0]["user_id"] = None
    report = check_logs(
        write_log(tmp_path / "log", rows), out=tmp_path / "out", drop=["requests-null-user-id"]
    )
    assert report.cascaded == {"candidates": 3, "events.request_id": 2}
    after = read_log(tmp_path / "out")
    assert [row["request_id"] for row in after["events"]] == [None, None, 2, None]
    assert {row["request_id"] for row in after["candidates"]} == {2, 3, 4}


def test_a_repeated_request_keeps_its_candidates_and_events(tmp_path: Path) -> None:
    log = broken_log(tmp_path / "log", "requests-repeated-id")
    assert check_logs(log, out=tmp_path / "out", drop=["requests-repeated-id"]).cascaded == {}
    assert read_log(tmp_path / "out") == good_rows()


def test_an_event_on_a_dropped_candidate_loses_its_link(tmp_path: Path) -> None:
    rows = good_rows()
    rows["candidates"][0]["position"] = None
    log = write_log(tmp_path / "log", rows)
    report = check_logs(log, out=tmp_path / "out", drop=["candidates-exposed-without-position"])
    assert report.cascaded == {"events.request_id": 2}
    assert [row["request_id"] for row in read_log(tmp_path / "out")["events"]] == [None, None, 2, None]


def test_a_dropped_item_takes_its_candidates_and_events(tmp_path: Path) -> None:
    rows = good_rows()
    rows["items"][1]["embedding"] = [1.0]
    log = write_log(tmp_path / "log", rows)
    report = check_logs(log, out=tmp_path / "out", drop=["items-embedding-length"])
    assert report.cascaded == {"candidates": 2, "events": 2}
    assert all(
        row["item_id"] != 101
        for table in ("candidates", "events")
        for row in read_log(tmp_path / "out")[table]
    )


def test_an_error_left_over_stops_the_copy(tmp_path: Path) -> None:
    rows = good_rows()
    BREAKS["users-repeated-id"](rows)
    BREAKS["events-null-action"](rows)
    log, out = write_log(tmp_path / "log", rows), tmp_path / "out"
    with pytest.raises(CorankError, match="events-null-action"):
        check_logs(log, out=out, drop=["users-repeated-id"])
    assert list(tmp_path.iterdir()) == [log]
    assert check_logs(log, out=out, drop=["all"]).dropped == {"users-repeated-id": 1, "events-null-action": 1}


def test_what_cannot_be_done_is_refused(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log")
    with pytest.raises(
        CorankError, match="unknown rule 'users-repeated' in drop; did you mean 'users-repeated-id'"
    ):
        check_logs(log, out=tmp_path / "out", drop=["users-repeated"])
    with pytest.raises(CorankError, match="needs an output folder"):
        check_logs(log, drop=["all"])
    with pytest.raises(CorankError, match="only if rules are named"):
        check_logs(log, out=tmp_path / "out")
    with pytest.raises(CorankError, match="already exists"):
        check_logs(log, out=log, drop=["all"])


@st.composite
def broken_rows(draw: st.DrawFn) -> Rows:
    """The good log with several rules broken and rows lost at random."""
    rows = good_rows()
    for name in draw(
        st.lists(st.sampled_from([name for name in BREAKS if not name.startswith("log-")]), max_size=6)
    ):
        BREAKS[name](rows)
    for table in rows:
        lost = draw(st.sets(st.integers(0, 11), max_size=2))
        rows[table] = [row for place, row in enumerate(rows[table]) if place not in lost]
    return rows


@settings(max_examples=8, deadline=None)
@given(rows=broken_rows())
def test_dropping_all_errors_leaves_none(tmp_path_factory: pytest.TempPathFactory, rows: Rows) -> None:
    folder = tmp_path_factory.mktemp("broken")
    log, out = write_log(folder / "log", rows), folder / "out"
    report = cleaned(log, out)
    if report is None:
        return
    assert report.errors == ()
    assert check_logs(out).findings == report.findings
    after = read_log(out)
    for table, its_rows in rows.items():
        own = sum(count for rule, count in report.dropped.items() if rule.startswith(f"{table}-"))
        assert len(its_rows) - len(after[table]) == own + report.cascaded.get(table, 0)


def cleaned(log: Path, out: Path) -> LogReport | None:
    """The report of a copy without errors; none if too little is left to learn from."""
    try:
        return check_logs(log, out=out, drop=["all"])
    except CorankError as error:
        if "(log-" not in str(error):
            raise
        return None
