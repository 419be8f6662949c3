"""The truth beside the log: it explains the log, and can be asked about lists never shown."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corank.logs.marketplace import click_chance, examination, simulate


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    settings = ("requests=5000", "catalog.items=4000", "catalog.brands=80")
    logs: Path = simulate(tmp_path_factory.mktemp("truth") / "logs", seed=3, settings=settings).path
    connection = duckdb.connect()
    for name in ("requests", "candidates", "events", "items", "users"):
        connection.execute(f"create view {name} as from '{logs}/{name}.parquet'")
    for name in ("requests", "candidates", "events", "items", "users", "intents"):
        connection.execute(f"create view t_{name} as from '{logs}/truth/{name}.parquet'")
    return connection


def row(db: duckdb.DuckDBPyConnection, sql: str) -> tuple[float, ...]:
    first: tuple[float, ...] = db.execute(sql).fetchall()[0]
    return first


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("candidates", "request_id, item_id"),
        ("events", "event_id"),
        ("items", "item_id"),
        ("users", "user_id"),
    ],
)
def test_truth_covers_the_log_row_for_row(db: duckdb.DuckDBPyConnection, table: str, keys: str) -> None:
    assert row(db, f"select count(*) from {table} anti join t_{table} using ({keys})") == (0,)
    assert row(db, f"select (select count(*) from {table}) - (select count(*) from t_{table})") == (0,)


def test_as_many_clicks_as_the_truth_expects(db: duckdb.DuckDBPyConnection) -> None:
    for low, high in ((0.0, 0.05), (0.05, 0.2), (0.2, 1.0)):
        clicks, expected, variance = row(
            db,
            "select count(k.item_id), sum(p), sum(p * (1 - p)) from "
            "(select request_id, item_id, would_click * examination p from t_candidates) left join "
            "(select distinct request_id, item_id from events where action = 'click') k "
            f"using (request_id, item_id) where p > {low} and p <= {high}",
        )
        assert abs(clicks - expected) < 4 * np.sqrt(variance)


def test_only_what_is_shown_is_examined(db: duckdb.DuckDBPyConnection) -> None:
    wrong = "select count(*) from candidates join t_candidates using (request_id, item_id) where "
    assert row(db, wrong + "exposed != (examination > 0)") == (0,)
    three = "(relevance, would_click, would_buy)"
    low, high = row(db, f"select min(least{three}), max(greatest{three}) from t_candidates")
    assert 0 <= low <= high <= 1


def test_examination_is_what_the_request_says(db: duckdb.DuckDBPyConnection) -> None:
    table = db.sql(
        "select position, examination_exponent, examination, would_click from candidates "
        "join t_candidates using (request_id, item_id) join t_requests using (request_id) where exposed"
    ).fetchnumpy()
    looked = examination(table["position"], table["examination_exponent"])
    np.testing.assert_allclose(looked, table["examination"], atol=1e-5)
    chance = click_chance(table["position"], table["examination_exponent"], table["would_click"])
    np.testing.assert_allclose(chance, table["examination"] * table["would_click"], atol=1e-5)


def test_an_event_serves_a_need_of_its_own_user(db: duckdb.DuckDBPyConnection) -> None:
    joined = "from events e join t_events t using (event_id) join t_intents i using (intent_id)"
    assert row(db, f"select count(*) {joined} where e.user_id != i.user_id") == (0,)
    assert row(db, f"select count(*) > 500 {joined}") == (True,)
    causes = (
        f"{joined} join requests r on r.request_id = t.search_request_id "
        "join t_requests tr on tr.request_id = r.request_id where "
    )
    wrong = "r.domain != 'search' or tr.intent_id != t.intent_id or r.user_id != e.user_id"
    wrong += " or r.timestamp > e.timestamp"
    assert row(db, f"select count(*) {causes} {wrong}") == (0,)


def test_an_item_was_a_candidate_where_it_was_noticed(db: duckdb.DuckDBPyConnection) -> None:
    noticed = "from t_events t join events e using (event_id)"
    assert row(db, f"select count(*) {noticed} where noticed_request_id is null") == (0,)
    assert row(
        db,
        f"select count(*) {noticed} anti join candidates c on c.request_id = t.noticed_request_id "
        "and c.item_id = e.item_id and c.exposed",
    ) == (0,)
    later = f"select count(*) {noticed} where noticed_request_id is distinct from e.request_id"
    assert row(db, later)[0] > 100


def test_a_need_is_settled_once_and_searched_for_no_more(db: duckdb.DuckDBPyConnection) -> None:
    bought = (
        "select max(n) from (select count(*) n from events join t_events using (event_id) "
        "where action = 'purchase' and intent_id is not null group by intent_id)"
    )
    assert row(db, bought) == (1,)
    late = (
        "select count(*) from requests join t_requests using (request_id) join t_intents using (intent_id) "
        "where timestamp > settled_at"
    )
    assert row(db, late) == (0,)


def test_relevant_items_are_shown_higher_but_not_always(db: duckdb.DuckDBPyConnection) -> None:
    shown, hidden = row(
        db,
        "select avg(would_click) filter (exposed), avg(would_click) filter (not exposed) from candidates "
        "join t_candidates using (request_id, item_id) join requests using (request_id) "
        "where domain = 'search'",
    )
    assert shown > 1.2 * hidden
    missed = row(
        db,
        "select avg((not exposed)::int) from (select request_id, item_id, exposed, row_number() over "
        "(partition by request_id order by would_click desc) r from candidates join t_candidates "
        "using (request_id, item_id) join requests using (request_id) where domain = 'search') where r <= 3",
    )
    assert 0.2 < missed[0] < 0.9


@given(
    st.lists(st.integers(1, 100), min_size=2, max_size=20, unique=True),
    st.floats(0.05, 3, allow_nan=False),
)
def test_examination_falls_from_one(positions: list[int], exponent: float) -> None:
    looked = examination(np.array([0, 1, *sorted(positions)]), np.array(exponent))
    assert looked[0] == 0
    assert looked[1] == 1
    assert (np.diff(looked[2:]) < 0).all()
    assert ((looked[1:] > 0) & (looked[1:] <= 1)).all()
