"""Every step equals its plain-Python oracle on generated logs, row for row.

Hypothesis draws forty logs of up to five independent parts each, and shrinks those that fail. Drawn lists are
mostly short, so larger logs come from plain random numbers: many parts, with events and touches of every
kind, and users with hundreds of touches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.samples import oracle
from tests.samples.generated import CUTS, logs, random_log
from tests.samples.steps import Steps

SEED, RATIO = 5, 1.5


@pytest.fixture(scope="module", params=["int", "text"])
def steps(request: pytest.FixtureRequest) -> Iterator[Steps]:
    built = Steps(request.param, "unexposed", RATIO, SEED)
    yield built
    built.close()


def by(rows: list[dict[str, Any]], *columns: str) -> dict[Any, dict[str, Any]]:
    """Rows by a key, which must be unique."""
    found = {tuple(row[column] for column in columns): row for row in rows}
    assert len(found) == len(rows)
    return found


def test_steps_equal_the_oracle(steps: Steps) -> None:
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
    @given(logs(steps.ids))
    def agree(log: oracle.Log) -> None:
        check(steps, log)

    agree()


@pytest.mark.parametrize(("parts", "events"), [(8, 20), (8, 60), (1, 1200)])
@pytest.mark.parametrize("seed", [0, 1])
def test_steps_equal_the_oracle_on_larger_logs(steps: Steps, seed: int, parts: int, events: int) -> None:
    check(steps, random_log(seed, steps.ids, parts, events))


def check(steps: Steps, log: oracle.Log) -> None:
    """Every step's result for the log is the oracle's."""
    results = steps.run(log)
    store = oracle.samples(log, CUTS, "unexposed", RATIO, SEED, sessions=True)
    check_requests(log, results, store)
    check_history(log, results, store)
    check_labels(log, results, store)
    check_samples(results, store)


def check_requests(log: oracle.Log, results: dict[str, Any], store: list[Any]) -> None:
    listed = [
        request["timestamp"]
        for request in log["requests"]
        if request["domain"] == "search"
        and any(row["request_id"] == request["request_id"] for row in log["candidates"])
    ]
    (timeline,) = results["timeline"]
    assert timeline["requests"] == len(listed)
    if len(listed) >= 4:
        cuts = oracle.cut_times(sorted(listed), 0.25, 0.3)
        assert (timeline["valid_from"], timeline["test_from"]) == cuts
    begin = 0
    numbered = by(results["numbered"], "_number")
    assert len(numbered) == len(store)
    for number, (request, _) in enumerate(store):
        row = numbered[(number,)]
        assert (row["request_id"], row["_split"]) == (request["request_id"], request["split"])
        assert (row["_samples"], row["_begin"]) == (request["samples"], begin)
        begin += request["samples"]


def check_history(log: oracle.Log, results: dict[str, Any], store: list[Any]) -> None:
    requests = [request for request, _ in store]
    columns = ("user_id", "timestamp", "action", "item_id", "domain")
    found = sorted(results["history"], key=lambda row: tuple(row[column] for column in columns))
    assert [{c: row[c] for c in columns} for row in found] == oracle.history(log, requests)
    placed = by(results["placed"], "_number")
    for number, request in enumerate(requests):
        row = placed[(number,)]
        assert row["history_length"] == request["history_length"]
        if row["history_length"]:
            assert row["history_offset"] == request["history_offset"]


def check_labels(log: oracle.Log, results: dict[str, Any], store: list[Any]) -> None:
    fates = [what for _, what in oracle.label_fates(log, [request for request, _ in store], CUTS)]
    assert sorted(row["_fate"] for row in results["fates"]) == sorted(fates)


PER_ROW = ("samples", "item_clicks", "shown_to_user", "shown_to_anyone", "from_touch")


def check_samples(results: dict[str, Any], store: list[Any]) -> None:
    rows = {name: by(results[name], "_row") for name in PER_ROW}
    touched = {name: by(results[f"{name}_touches"], "_row") for name in ("user", "session")}
    labels = by(results["labels"], "_number", "item_id")
    expected = [(number, item) for number, (_, items) in enumerate(store) for item in items]
    assert len(rows["samples"]) == len(expected)
    for index, (number, item) in enumerate(expected):
        row = rows["samples"][(index,)]
        for column in ("item_id", "exposed", "position", "price_rank"):
            assert row[column] == item[column], column
        assert rows["item_clicks"][(index,)]["item_clicks"] == item["item_clicks"]
        for step, absent in (
            ("shown_to_user", {"user_shown": 0, "user_since_shown": None}),
            ("shown_to_anyone", {}),
            ("from_touch", {"list_touch_order": None, "price_from_touch": None}),
        ):
            told = rows[step].get((index,), absent)
            assert {name: item[name] for name in told if name != "_row"} == {
                name: value for name, value in told.items() if name != "_row"
            }
        label = labels.get((number, item["item_id"]), {"label_click": 0, "label_purchase": 0})
        assert (label["label_click"], label["label_purchase"]) == (
            item["label_click"],
            item["label_purchase"],
        )
        for name in ("user", "session"):
            absent = {column: 0 if "touches" in column else None for column in item}
            found = touched[name].get((index,), absent)
            for column in item:
                if column.startswith((f"{name}_touch", f"{name}_since_touch")):
                    assert found[column] == item[column], column
