"""The logs a marketplace writes: their contract, their rates, and that a seed decides every byte."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corank.errors import CorankError
from corank.files import fingerprint
from corank.logs import check_logs, open_logs
from corank.logs.marketplace import MarketplaceConfig, simulate

TABLES = ("requests", "candidates", "events", "items", "users")
TINY = ("requests=500", "catalog.items=1500", "catalog.brands=40")
FROZEN = {
    "search click": 360,
    "search cart": 28,
    "search purchase": 8,
    "rec click": 379,
    "rec cart": 45,
    "rec purchase": 7,
    "shop click": 70,
    "shop cart": 5,
    "shop purchase": 2,
    "direct click": 55,
    "direct purchase": 22,
}
"""Events of the tiny market by domain and action."""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("market") / "logs", size="s").path


@pytest.fixture(scope="module")
def boutique(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(
        tmp_path_factory.mktemp("boutique") / "logs", preset="boutique", settings=("requests=8000",)
    ).path


@pytest.fixture(params=["market", "boutique"])
def logs(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def query(logs: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of SQL over the tables, truth tables as t_NAME and clicks by request as `clicked`."""
    connection = duckdb.connect()
    for name in TABLES:
        connection.execute(f"create view {name} as from '{logs}/{name}.parquet'")
    for path in (logs / "truth").glob("*.parquet"):
        connection.execute(f"create view t_{path.stem} as from '{path}'")
    connection.execute(
        "create view clicked as select distinct request_id, item_id from events "
        "where action = 'click' and request_id is not null"
    )
    rows: list[tuple[Any, ...]] = connection.sql(sql).fetchall()
    return rows


def value(logs: Path, sql: str) -> float:
    number: float = query(logs, sql)[0][0]
    return number


def rates(logs: Path, domain: str) -> tuple[float, float]:
    """Share of lists clicked, clicks per exposed row."""
    per_list = (
        "select count(k.item_id) clicks, sum(exposed::int) exposed from candidates "
        f"join requests using (request_id) left join clicked k using (request_id, item_id) "
        f"where domain = '{domain}' group by request_id"
    )
    lists, rows = query(logs, f"select avg((clicks > 0)::int), sum(clicks) / sum(exposed) from ({per_list})")[
        0
    ]
    return lists, rows


def test_the_log_breaks_no_rule(logs: Path) -> None:
    report = check_logs(open_logs(logs))
    assert list(report.findings) == []


def test_ids_are_integers_and_times_utc_microseconds(logs: Path) -> None:
    for name in TABLES:
        schema = pq.read_schema(logs / f"{name}.parquet")
        for field in schema:
            if field.name.endswith("_id"):
                assert field.type == pa.int64()
            if field.name == "timestamp":
                assert field.type == pa.timestamp("us", tz="UTC")
    assert pa.types.is_list(pq.read_schema(logs / "items.parquet").field("embedding").type)


def test_candidate_lists_have_the_sizes_asked_for(logs: Path) -> None:
    sizes = query(
        logs,
        "select domain, max(n), max(shown), bool_and(shown = least(n, 10)), bool_and(last = shown) from ("
        " select domain, count(*) n, sum(exposed::int) shown, max(position) last"
        " from candidates join requests using (request_id) group by domain, request_id) "
        "group by 1 order by 1",
    )
    assert sizes == [
        ("rec", 20, 10, True, True),
        ("search", 60, 10, True, True),
        ("shop", 20, 10, True, True),
    ]


def test_nothing_of_the_truth_is_in_the_log(logs: Path) -> None:
    keys = {"request_id", "item_id", "user_id", "event_id", "category", "brand"}
    logged = {name for table in TABLES for name in pq.read_schema(logs / f"{table}.parquet").names}
    for path in (logs / "truth").glob("*.parquet"):
        assert set(pq.read_schema(path).names) & logged <= keys


def test_volumes_are_plausible(market: Path) -> None:
    searches = value(market, "select count(*) from requests where domain = 'search'")
    assert 16_000 <= searches <= 21_000
    lists, rows = rates(market, "search")
    assert 0.5 <= lists <= 0.7
    assert 0.06 <= rows <= 0.085
    elsewhere = value(market, "select count(*) from events where action = 'click' and domain != 'search'")
    assert 0.7 <= elsewhere / searches <= 1.4
    purchases, clicks = query(
        market, "select sum((action = 'purchase')::int), sum((action = 'click')::int) from events"
    )[0]
    assert 0.03 <= purchases / clicks <= 0.06


def test_a_boutique_sells_less_often_dearer_and_comes_and_goes(market: Path, boutique: Path) -> None:
    per_click = "select sum((action = 'purchase')::int) / sum((action = 'click')::int) from events"
    assert value(boutique, per_click) < 0.5 * value(market, per_click)
    assert value(boutique, "select count(*) from items") == 800
    assert value(boutique, "select median(price) from items") > 500
    top = "select sum(v) filter (r <= 0.1 * n) / sum(v) from (select sum(value) v, "
    top += "row_number() over (order by sum(value) desc) r, (select count(*) from users) n from events "
    top += "where action = 'purchase' group by user_id)"
    assert value(boutique, top) > 0.6
    days = "select median(date_diff('hour', starts_at, given_up_at)) / 24 from t_intents"
    assert value(boutique, days) > 10 > 2 > value(market, days)
    gone = (
        "select count(*), count(*) filter (timestamp >= withdrawn_at or timestamp < listed_at) from events "
        "join t_items using (item_id) join items using (item_id) where withdrawn_at is not null"
    )
    bought_editions, too_late = query(boutique, gone)[0]
    assert bought_editions > 100
    assert too_late == 0


def test_people_buy_in_every_channel(logs: Path) -> None:
    channels = query(logs, "select distinct domain from events where action = 'purchase' order by 1")
    assert channels == [("direct",), ("rec",), ("search",), ("shop",)]
    assert value(logs, "select count(*) from events where action = 'purchase' and not value > 0") == 0
    assert value(logs, "select count(*) from events where (domain = 'direct') != (request_id is null)") == 0


def test_what_was_searched_for_is_clicked_elsewhere(logs: Path) -> None:
    found = value(
        logs,
        "select count(distinct event_id) from events e join requests r on r.user_id = e.user_id "
        "and r.domain = 'search' and r.timestamp <= e.timestamp "
        "and r.timestamp > e.timestamp - interval 1 day "
        "join candidates c on c.request_id = r.request_id and c.item_id = e.item_id "
        "where e.action = 'click' and e.domain != 'search'",
    )
    assert found > 0.3 * value(
        logs, "select count(*) from events where action = 'click' and domain != 'search'"
    )


def test_clicks_fall_with_position(logs: Path) -> None:
    rows = query(
        logs,
        "select position, count(k.item_id) / count(*), avg(examination) from candidates "
        "join requests using (request_id) join t_candidates using (request_id, item_id) "
        "left join clicked k using (request_id, item_id) where domain = 'search' and exposed "
        "group by 1 order by 1",
    )
    clicks, looked = [row[1] for row in rows], [row[2] for row in rows]
    assert looked == sorted(looked, reverse=True)
    assert looked[0] == 1
    assert clicks[:6] == sorted(clicks[:6], reverse=True)
    assert clicks[0] > 4 * clicks[9]


def test_popularity_has_a_long_tail(logs: Path) -> None:
    gini = value(
        logs,
        "select 2 * sum(r * n) / (count(*) * sum(n)) - (count(*) + 1) / count(*) from ("
        " select n, row_number() over (order by n) r from ("
        "  select count(k.request_id) n from items left join clicked k using (item_id) group by item_id))",
    )
    assert 0.6 < gini < 0.95


def test_queries_name_what_is_needed(market: Path) -> None:
    assert (
        value(market, "select count(*) from requests where (domain = 'search') != (query is not null)") == 0
    )
    named = value(
        market,
        "select avg((ends_with(query, category))::int) from requests join t_requests using (request_id) "
        "join t_intents using (intent_id) where domain = 'search'",
    )
    assert 0.8 < named < 0.95


def test_the_seed_decides_every_byte(tmp_path: Path) -> None:
    first = simulate(tmp_path / "a", seed=7, settings=TINY)
    again = simulate(tmp_path / "b", seed=7, settings=TINY)
    other = simulate(tmp_path / "c", seed=8, settings=TINY)
    assert fingerprint(first.path) == fingerprint(again.path)
    for name in TABLES:
        assert fingerprint(first.path / f"{name}.parquet") != fingerprint(other.path / f"{name}.parquet")


def test_settings_scale_it_and_are_written_beside_it(tmp_path: Path) -> None:
    report = simulate(tmp_path / "logs", settings=(*TINY, "days=5", "retrieval.search_candidates=30"))
    written = json.loads((tmp_path / "logs/simulation.json").read_text())
    assert written["config"]["retrieval"]["search_candidates"] == 30
    assert written["rows"] == report.rows == report.to_dict()["rows"]
    assert 300 < report.requests["search"] < 700
    days = "select date_diff('day', min(timestamp), max(timestamp)) + 1 from requests"
    assert value(report.path, days) == 5
    assert (
        value(report.path, "select max(n) from (select count(*) n from candidates group by request_id)") == 30
    )


def test_many_chunks_of_users_have_ids_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corank.logs.marketplace.world.CHUNK_REQUESTS", 100)
    logs = simulate(tmp_path / "logs", settings=TINY).path
    assert list(check_logs(open_logs(logs)).findings) == []
    for table, key in (("t_intents", "intent_id"), ("events", "event_id"), ("t_users", "user_id")):
        assert value(logs, f"select count(*) - count(distinct {key}) from {table}") == 0
    assert (
        value(logs, "select max(n) from (select count(distinct user_id) n from requests group by session_id)")
        == 1
    )


def test_a_log_without_clicks_is_still_written(tmp_path: Path) -> None:
    no_clicks = ("behaviour.click_base=-80", "behaviour.browse_base=-80", "behaviour.match_weight=0")
    report = simulate(tmp_path / "logs", settings=(*TINY, *no_clicks))
    assert report.rows["events"] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"preset": "markt"}, "unknown preset 'markt'; did you mean 'market'?"),
        ({"size": "xl"}, "unknown size 'xl'"),
        ({"settings": ("catalog.item=5",)}, "unknown key 'item' in 'catalog'; did you mean 'items'?"),
        ({"settings": ("requests=ten",)}, "'requests' = 'ten'"),
        ({"settings": ("retrieval.exposed=30",)}, "exceeds a candidate list of 20"),
        ({"seed": -1}, "seed = -1: expected 0 or more"),
    ],
)
def test_mistakes_end_in_a_sentence(tmp_path: Path, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CorankError) as error:
        simulate(tmp_path / "logs", **arguments)
    assert sentence in str(error.value)
    assert not (tmp_path / "logs").exists()


def test_what_exists_is_not_overwritten_unasked(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/mine.txt").write_text("mine")
    with pytest.raises(CorankError, match="already exists"):
        simulate(tmp_path / "logs", settings=TINY)
    simulate(tmp_path / "logs", settings=TINY, overwrite=True)
    assert not (tmp_path / "logs/mine.txt").exists()


def test_every_preset_has_every_size() -> None:
    for preset in ("market", "boutique"):
        requests = [MarketplaceConfig.preset(preset, size).requests for size in ("s", "m", "l")]
        assert requests == [20_000, 200_000, 2_000_000]


def test_what_the_code_makes_of_a_preset_is_frozen_too(tmp_path: Path) -> None:
    """Constants beside the parameters decide, too: how many acted, how, and what on, in a tiny log."""
    logs = simulate(tmp_path / "logs", settings=TINY).path
    found = dict(query(logs, "select domain || ' ' || action, count(*) from events group by all"))
    assert found == FROZEN
    told = "select count(*), count_if(exposed), round(sum(price) / 1e5) from candidates"
    assert query(logs, told) == [(59_559, 17_647, 28)]
    assert value(logs, "select avg(examination_exponent) from t_requests") == pytest.approx(0.7, abs=5e-4)


@pytest.mark.parametrize(
    ("preset", "size", "digest"),
    [
        ("market", "s", "984153bab253"),
        ("market", "m", "75a76291fd3f"),
        ("market", "l", "72dd9a91b1af"),
        ("boutique", "s", "4e9ece414a91"),
    ],
)
def test_presets_are_frozen(preset: str, size: str, digest: str) -> None:
    """Studies rest on them (docs/decisions/0006): a change is a new preset under a new name."""
    values = MarketplaceConfig.preset(preset, size).model_dump_json()
    assert hashlib.sha256(values.encode()).hexdigest()[:12] == digest
