"""trivago's log: the same tables from Parquet and CSV, and every row accounted for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from tests.logs.published import Row, unusable
from tests.logs.tiny import read_log

from corank.errors import CorankError
from corank.files import read_json
from corank.logs import SOURCES, ImportReport, check_logs, import_logs
from corank.logs.adapters.trivago.source import COLUMNS
from corank.logs.schemas import TABLES

START = 1541599500
LIST = {"impressions": "11|12|13", "prices": "70|65|90"}


def row(second: int, step: int, action: str, reference: str | None, session: str = "s1", **other: Any) -> Row:
    """A row as published, `second` seconds after the start."""
    known = {
        "user_id": "ann",
        "session_id": session,
        "timestamp": START + second,
        "step": step,
        "action_type": action,
        "reference": reference,
        "platform": "DE",
        "city": "Berlin, Germany",
        "device": "mobile",
        "current_filters": None,
        "impressions": None,
        "prices": None,
    }
    return known | other


SESSION = [
    row(0, 1, "search for poi", "Old Gate"),
    row(3, 2, "search for destination", "Berlin, Germany"),
    row(5, 3, "change of sort order", "price only"),
    row(5, 4, "change of sort order", "interaction sort button"),
    row(9, 5, "interaction item image", "12"),
    row(20, 6, "clickout item", "12", current_filters="Hotel|4 Star", **LIST),
    row(25, 7, "search for poi", "Zoo"),
    row(25, 8, "search for item", "99"),
    row(30, 9, "clickout item", "11", **LIST),
]


def write_parquet(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema_of_source()), path)
    return path


def write_csv(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pc.write_csv(pa.Table.from_pylist(rows, schema_of_source()), path)
    return path


def schema_of_source() -> pa.Schema:
    kinds = {"timestamp": pa.int64(), "step": pa.int64()}
    return pa.schema({column: kinds.get(column, pa.string()) for column in COLUMNS})


def imported(tmp_path: Path, rows: list[Row]) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """The tables of these rows, and what of them was not usable."""
    report = import_logs("trivago", write_parquet(tmp_path / "src.parquet", rows), tmp_path / "log")
    return read_log(tmp_path / "log"), unusable(report)


def test_a_clickout_becomes_a_request_with_its_list(tmp_path: Path) -> None:
    tables, lost = imported(tmp_path, SESSION)
    assert lost == {}
    first, second = tables["requests"]
    assert (first["request_id"], first["user_id"], first["domain"]) == ("s1:6", "ann", "search")
    assert first["query"] == "Berlin, Germany"
    assert first["timestamp"].timestamp() == pytest.approx(START + 20 + 6e-6, abs=1e-7)
    assert first["timestamp"].microsecond == 6
    assert first["current_filters"] == ["Hotel", "4 Star"]
    assert [(c["item_id"], c["position"], c["shown_rank"], c["price"]) for c in tables["candidates"][:3]] == [
        (11, 1, 1, 70.0),
        (12, 2, 2, 65.0),
        (13, 3, 3, 90.0),
    ]
    assert all(candidate["exposed"] for candidate in tables["candidates"])
    assert second["request_id"] == "s1:9"
    check_logs(tmp_path / "log").raise_if_broken()


def test_a_request_knows_only_its_session_before_it(tmp_path: Path) -> None:
    first, second = imported(tmp_path, [*SESSION, row(40, 1, "search for destination", "Rome", "s2")])[0][
        "requests"
    ]
    context = (
        "sort_order",
        "destination",
        "poi",
        "session_seconds",
        "seconds_since_action",
        "previous_action",
    )
    assert [first[column] for column in context] == [
        "price only",
        "Berlin, Germany",
        None,  # searched for before the destination
        20,
        11,
        "interaction_image",
    ]
    assert [second[column] for column in context] == [
        "price only",
        "Berlin, Germany",
        "Zoo",
        30,
        5,
        "search_item",
    ]


def test_actions_on_hotels_become_events(tmp_path: Path) -> None:
    tables, _ = imported(tmp_path, SESSION)
    events = [(event["action"], event["item_id"], event["request_id"]) for event in tables["events"]]
    assert events == [
        ("interaction_image", 12, None),
        ("click", 12, "s1:6"),
        ("search_item", 99, None),
        ("click", 11, "s1:9"),
    ]
    at = {request["request_id"]: request["timestamp"] for request in tables["requests"]}
    for event in tables["events"]:
        if event["request_id"]:
            assert event["timestamp"] == at[event["request_id"]]
    assert [item["item_id"] for item in tables["items"]] == [11, 12, 13, 99]
    assert tables["users"] == [{"user_id": "ann"}]


ODD = [
    (row(50, 10, "clickout item", None, **LIST), "hidden_target", 2, 4),
    (row(50, 10, "clickout item", "11"), "clickout_without_list", 2, 4),
    (row(50, 10, "clickout item", "11", impressions="11|12", prices="70"), "list_and_prices_differ", 2, 4),
    (row(50, 10, "clickout item", "11", impressions="x", prices="70"), "list_without_hotels", 2, 4),
    (row(50, 10, "clickout item", "77", **LIST), "clicked_item_not_in_list", 3, 5),
    (row(50, 10, "clickout item", "a", **LIST), "clicked_item_not_in_list", 3, 4),
    (row(50, 10, "clickout item", "11", impressions="11|x", prices="7|8"), "impression_not_a_number", 3, 5),
    (row(50, 10, "clickout item", "11", impressions="11|11", prices="7|8"), "repeated_impression", 3, 5),
    (row(50, 10, "clickout item", "11", impressions="11|12", prices="7|x"), "price_not_a_number", 3, 5),
    (row(50, 9, "clickout item", "12", **LIST), "step_counted_twice", 3, 5),
    (row(50, 10, "interaction item info", "Berlin"), "reference_not_a_number", 2, 4),
    (row(50, 10, "teleport", "11"), "unknown_action", 2, 4),
    (row(50, 1_000_000, "search for item", "11"), "bad_step", 2, 4),
    (row(-START - 1, 10, "search for item", "11"), "bad_timestamp", 2, 4),
    (row(50, 10, "search for item", "11", user_id=None), "no_user_or_session", 2, 4),
    (SESSION[5], "repeated_row", 2, 4),
]
"""A row beside the session's, the reason it is counted under, and the requests and events then written."""


@pytest.mark.parametrize(("odd", "reason", "requests", "events"), ODD)
def test_what_cannot_be_used_is_counted(
    tmp_path: Path, odd: Row, reason: str, requests: int, events: int
) -> None:
    tables, lost = imported(tmp_path, [*SESSION, odd])
    assert lost == {reason: 1}
    assert (len(tables["requests"]), len(tables["events"])) == (requests, events)
    ids = [request["request_id"] for request in tables["requests"]]
    assert len(set(ids)) == len(ids)
    check_logs(tmp_path / "log").raise_if_broken()


def test_every_reason_is_tried(tmp_path: Path) -> None:
    report = import_logs("trivago", write_parquet(tmp_path / "src.parquet", SESSION), tmp_path / "log")
    tried = {reason for _, reason, _, _ in ODD}
    assert tried | {"malformed_line", "malformed_metadata_line"} == set(report.unusable)
    assert read_json(tmp_path / "log" / "import.json") == report.to_dict()


def test_csv_and_parquet_give_the_same_tables(tmp_path: Path) -> None:
    rows = [*SESSION, *(odd for odd, *_ in ODD)]
    of_parquet = import_logs("trivago", write_parquet(tmp_path / "a.parquet", rows), tmp_path / "a")
    of_csv = import_logs("trivago", write_csv(tmp_path / "b.csv", rows), tmp_path / "b")
    assert (of_csv.read, of_csv.unusable, of_csv.rows) == (
        of_parquet.read,
        of_parquet.unusable,
        of_parquet.rows,
    )
    assert read_log(tmp_path / "b") == read_log(tmp_path / "a")


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    for name, rows in (("a", SESSION), ("b", SESSION[::-1])):
        import_logs("trivago", write_parquet(tmp_path / f"{name}.parquet", rows), tmp_path / name)
    for table in TABLES:
        file = f"{table}.parquet"
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_lines_that_do_not_parse_are_counted(tmp_path: Path) -> None:
    src = write_csv(tmp_path / "src.csv", SESSION)
    with src.open("ab") as stream:
        stream.write(b"ann,s1,1541599900,11\n")
        stream.write(b"ann,s1,1541599900,11,search for item,1\xff,DE,x,mobile,,,\n")
        stream.write(b'ann,s1,1541599900,12,search for item,14,DE,"x, y",mobile,,,\n')
    report = import_logs("trivago", src, tmp_path / "log")
    assert unusable(report) == {"malformed_line": 2}
    assert report.rows["events"] == 5


def test_the_folder_as_downloaded(tmp_path: Path) -> None:
    src = tmp_path / "src"
    write_csv(src / "train.csv", SESSION)
    hidden = [
        row(90, 1, "clickout item", "11", "s2", **LIST),
        row(99, 2, "clickout item", None, "s2", **LIST),
    ]
    write_csv(src / "test.csv", hidden)
    (src / "item_metadata.csv").write_text("item_id,properties\n12,Wifi|Pool\n11,\n5000,Sauna\n13\n")
    report = import_logs("trivago", src, tmp_path / "log")
    assert unusable(report) == {"hidden_target": 1, "malformed_metadata_line": 1}
    assert report.read["rows"] == len(SESSION) + 2
    items = read_items(tmp_path / "log")
    assert items == {11: None, 12: ["Wifi", "Pool"], 13: None, 99: None}
    check_logs(tmp_path / "log").raise_if_broken()


def read_items(log: Path) -> dict[int, list[str] | None]:
    return {item["item_id"]: item["properties"] for item in pq.read_table(log / "items.parquet").to_pylist()}


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    src = write_parquet(tmp_path / "src.parquet", SESSION)
    with pytest.raises(CorankError, match="unknown source 'trivagoo'; did you mean 'trivago'"):
        import_logs("trivagoo", src, tmp_path / "log")
    with pytest.raises(CorankError, match="no such file"):
        import_logs("trivago", tmp_path / "nowhere", tmp_path / "log")
    with pytest.raises(CorankError, match=r"no train\.csv in it"):
        import_logs("trivago", tmp_path, tmp_path / "log")
    with pytest.raises(CorankError, match=r"expected a \.parquet file"):
        import_logs("trivago", Path(__file__), tmp_path / "log")
    with pytest.raises(CorankError, match="not one usable request in it"):
        import_logs("trivago", write_parquet(tmp_path / "b.parquet", SESSION[:3]), tmp_path / "log")
    text = (write_csv(tmp_path / "c.csv", SESSION)).read_text().replace("session_id", "session")
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(CorankError, match=r"c\.csv: no column 'session_id'; did you mean 'session'"):
        import_logs("trivago", tmp_path / "c.csv", tmp_path / "log")
    src.write_bytes(src.read_bytes()[:-9])
    with pytest.raises(CorankError, match="not readable as Parquet"):
        import_logs("trivago", src, tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_an_output_is_replaced_only_if_told(tmp_path: Path) -> None:
    src = write_parquet(tmp_path / "src.parquet", SESSION)
    import_logs("trivago", src, tmp_path / "log")
    with pytest.raises(CorankError, match="already exists"):
        import_logs("trivago", src, tmp_path / "log")
    import_logs("trivago", src, tmp_path / "log", overwrite=True)
    written = {path.name for path in (tmp_path / "log").iterdir()}
    assert written == {"import.json", *(f"{table}.parquet" for table in TABLES)}


def test_every_source_says_where_it_is_from() -> None:
    for name, adapter in SOURCES.items():
        assert adapter.name == name
        assert adapter.url.startswith("https://")
        assert adapter.citation


@pytest.fixture(scope="module")
def real_log(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ImportReport]:
    out = tmp_path_factory.mktemp("trivago") / "log"
    return out, import_logs("trivago", real_data / "trivago" / "trivago_val_100k.parquet", out)


@pytest.mark.data
def test_the_real_sample_is_imported_whole(real_log: tuple[Path, ImportReport]) -> None:
    log, report = real_log
    assert report.read["rows"] == 100_003
    assert (report.rows["requests"], report.rows["candidates"]) == (13_597, 312_539)
    assert unusable(report) == {"reference_not_a_number": 4, "clicked_item_not_in_list": 1}
    check = check_logs(log)
    assert check.findings == ()
    assert check.summary.clicks == 13_597


@pytest.mark.data
def test_the_shown_order_ranks_as_is_known(real_log: tuple[Path, ImportReport]) -> None:
    """The sample's reference point: MRR .450 of the shown order over the last fifth of the lists."""
    log, _ = real_log
    with duckdb.connect() as connection:
        ((lists, mrr),) = connection.execute(f"""
            SELECT count(*), avg(coalesce(1 / shown_rank, 0)) FROM (
              SELECT request_id FROM '{log}/requests.parquet'
              QUALIFY row_number() OVER (ORDER BY timestamp, request_id) > 0.8 * count(*) OVER ())
            LEFT JOIN (SELECT request_id, item_id FROM '{log}/events.parquet' WHERE action = 'click')
              USING (request_id)
            LEFT JOIN '{log}/candidates.parquet' USING (request_id, item_id)""").fetchall()
    assert lists == pytest.approx(2719, abs=1)
    assert mrr == pytest.approx(0.450, abs=0.002)
