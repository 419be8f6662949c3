"""Every step equals its plain-Python oracle on generated logs, row for row.

Hypothesis draws logs, two to six of them side by side, and shrinks what fails: 130 draws for each kind of
ids, so that every step of `es3`, the recipe that has them all, is compared on more than 500 logs, which share
items where they lie side by side. Where ids are texts, unexposed items are set apart. Drawn lists are mostly
short, so larger logs come from plain random numbers: many parts, with events and touches of every kind, and
users with hundreds of touches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.samples import oracle
from tests.samples.generated import CUTS, logs, random_log
from tests.samples.oracle_es3 import LEVELS, TIERS, Settings
from tests.samples.steps import Steps

from corank.samples.labels import FATES
from corank.samples.sizes import LABEL_SOURCES

WINDOW = 1.5 / 3600
ASKED = [
    f"attribution_hours={WINDOW}",
    "unexposed_per_exposed=1.5",
    "attributed_click_actions=[click, view]",
    "unexposed_weight=0.25",
    "attributed_weight=0.5",
    "searchified_weight=2",
    "pseudo_negatives=2",
    "similar_above=-0.5",
]
EXPECTED = Settings(
    cuts=CUTS,
    free_clicks=("click", "view"),
    unexposed_weight=0.25,
    attributed_weight=0.5,
    searchified_weight=2.0,
    negatives=2,
    window=1_500_000,
    similar_above=-0.5,
)


APART = {"int": None, "text": "unseen"}
"""The domain of unexposed items, by the kind of ids."""


@pytest.fixture(scope="module", params=list(APART))
def steps(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Steps]:
    asked = [*ASKED, f"unexposed_domain={APART[request.param] or 'null'}"]
    built = Steps(tmp_path_factory.mktemp(request.param), request.param, "es3", asked, EXPECTED.seed)
    yield built
    built.close()


def test_steps_equal_the_oracle(steps: Steps) -> None:
    @settings(max_examples=130, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(logs(steps.ids))
    def agree(log: oracle.Log) -> None:
        check(steps, log)

    agree()


LARGER = [(seed, parts, events, 3) for seed in range(2) for parts, events in ((8, 20), (12, 80), (1, 600))]
LARGER += [(seed, 12, 60, 1) for seed in range(10)]
"""Seeds, parts, events and users of the larger logs."""


@pytest.mark.parametrize("size", LARGER, ids=str)
def test_steps_equal_the_oracle_on_larger_logs(steps: Steps, size: tuple[int, int, int, int]) -> None:
    seed, parts, events, users = size
    check(steps, random_log(seed, steps.ids, parts, events, users))


def test_the_larger_logs_meet_every_case() -> None:
    """What is compared above is not empty: each fate, source and level occurs."""
    seen: Counter[str] = Counter()
    for seed, parts, events, users in LARGER:
        built = oracle.build(
            random_log(seed, "int", parts, events, users), replace(EXPECTED, unexposed_domain="unseen")
        )
        seen.update(row["fate"] for row in built.ledger)
        for request, rows in built.store:
            seen[f"query {request['query_source']}"] += 1
            seen[f"of {request['domain']}"] += 1
            seen.update(f"click {row['label_source']}" for row in rows)
            seen.update(f"bought {row['purchase_source']}" for row in rows)
    assert {*FATES, *TIERS, "no_similar", "searchified"} <= set(seen)
    assert {f"query {level}" for level in ("logged", *LEVELS, "none")} <= set(seen)
    assert seen["of unseen"] < seen["of search"]
    assert seen["of unseen"]
    sources = set(LABEL_SOURCES) - {"purchase_clicked"}  # its samples have an own click
    assert {f"click {source}" for source in sources} <= set(seen)
    assert {f"bought {source}" for source in LABEL_SOURCES if not source.startswith("click")} <= set(seen)


def check(steps: Steps, log: oracle.Log) -> None:
    """The whole store, its histories and its ledger are the oracle's."""
    results = steps.run(log)
    expected = oracle.build(log, replace(EXPECTED, unexposed_domain=APART[steps.ids]))
    assert [{name: row[name] for name in oracle.REQUEST_COLUMNS} for row in results["requests"]] == [
        {name: request[name] for name in oracle.REQUEST_COLUMNS} for request, _ in expected.store
    ]
    lengths = [{"_split": request["split"], "_samples": len(rows)} for request, rows in expected.store]
    assert results["lengths"] == lengths
    rows = [row for _, items in expected.store for row in items]
    assert len(results["samples"]) == len(rows)
    for found, row in zip(results["samples"], rows, strict=True):
        assert _comparable(found) == _comparable(row)
    assert results["histories"] == expected.history
    assert results["labels"] == expected.ledger
    assert [row["item_id"] for row in results["items"]] == sorted(row["item_id"] for row in log["items"])


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    """NaN is not equal to itself; label sources are codes until they are written."""
    codes = {name: LABEL_SOURCES.index(row[name]) for name in SOURCES if isinstance(row[name], str)}
    return {name: "nan" if value != value else value for name, value in (row | codes).items()}


SOURCES = ("label_source", "purchase_source")
