"""Diginetica's log: the tables of small files in its format, and every row accounted for."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli import document
from tests.logs.published import (
    Files,
    add_lines,
    columns,
    imported,
    same_tables,
    unusable,
    with_line,
    write_files,
)
from tests.logs.tiny import read_log

from corank.errors import CorankError
from corank.files import read_json
from corank.logs import check_logs, import_logs
from corank.samples import build_samples

DAY = datetime(2016, 5, 9, tzinfo=UTC)

QUERIES = (
    "queryId",
    "sessionId",
    "userId",
    "timeframe",
    "duration",
    "eventdate",
    "searchstring.tokens",
    "categoryId",
    "items",
    "is.test",
)


def query(number: int, session: int, frame: int, items: str, **other: str) -> dict[str, str]:
    known = [str(number), str(session), "NA", str(frame), "311", "2016-05-09", "NA", "0", items, "FALSE"]
    return {**dict(zip(QUERIES, known, strict=True)), **other}


def click(number: int, frame: int, item: int) -> dict[str, str]:
    return {"queryId": str(number), "timeframe": str(frame), "itemId": str(item)}


def view(session: int, item: int, frame: int, day: str = "2016-05-09") -> dict[str, str]:
    return {
        "sessionId": str(session),
        "userId": "NA",
        "itemId": str(item),
        "timeframe": str(frame),
        "eventdate": day,
    }


def purchase(session: int, item: int, frame: int, day: str = "2016-05-09") -> dict[str, str]:
    return {
        "sessionId": str(session),
        "userId": "17",
        "timeframe": str(frame),
        "eventdate": day,
        "ordernumber": "4321",
        "itemId": str(item),
    }


def product(item: int, price: str, tokens: str) -> dict[str, str]:
    return {"itemId": str(item), "pricelog2": price, "product.name.tokens": tokens}


FILES: Files = {
    "train-queries.csv": [
        query(1, 11, 16_327_074, "7,8,9", categoryId="1028"),
        query(2, 11, 16_400_000, "8,7", userId="17", **{"searchstring.tokens": "12,34"}),
        query(3, 12, 500, "9,8", **{"searchstring.tokens": "12"}),
    ],
    "train-clicks.csv": [click(1, 16_338_861, 8), click(2, 16_400_500, 7)],
    "train-item-views.csv": [view(11, 8, 16_339_000), view(11, 5, 16_500_000, "2016-05-10")],
    "train-purchases.csv": [purchase(11, 7, 16_600_000)],
    "products.csv": [product(7, "10", "12,34,5"), product(8, "0", "12"), product(9, "8.5", "77")],
    "product-categories.csv": [
        {"itemId": "7", "categoryId": "1028"},
        {"itemId": "8", "categoryId": "5"},
    ],
}
"""Two sessions: a category's page and a search, and a search without a click."""

LOST = {"price_zero_or_none": 1, "later_day": 1}


def source(folder: Path, files: Files = FILES) -> Path:
    return write_files(folder, files, delimiter=";")


def at(milliseconds: int) -> datetime:
    return DAY + timedelta(milliseconds=milliseconds)


def test_queries_with_their_lists_become_requests(tmp_path: Path) -> None:
    tables, unused = imported("diginetica", source(tmp_path / "src"), tmp_path / "log")
    assert unused == LOST
    assert [tuple(request.values()) for request in tables["requests"]] == [
        (3, 12, "search", at(500), "12", None, None),
        (1, 11, "category", at(16_327_074), None, "c1028", None),
        (2, 11, "search", at(16_400_000), "12 34", None, 17),
    ]
    assert list(tables["requests"][0])[5:] == ["page_category", "account_id"]
    names = ("request_id", "item_id", "exposed", "position", "shown_rank", "price_log2")
    assert list(tables["candidates"][0]) == list(names)
    assert columns(tables["candidates"], *names) == [
        (3, 9, True, 1, 1, 8.5),
        (3, 8, True, 2, 2, None),  # a price of 0 is none
        (1, 7, True, 1, 1, 10.0),
        (1, 8, True, 2, 2, None),
        (1, 9, True, 3, 3, 8.5),
        (2, 8, True, 1, 1, None),
        (2, 7, True, 2, 2, 10.0),
    ]
    check = check_logs(tmp_path / "log")
    assert check.findings == ()


def test_clicks_views_and_purchases_become_events(tmp_path: Path) -> None:
    tables, _ = imported("diginetica", source(tmp_path / "src"), tmp_path / "log")
    assert [tuple(event.values()) for event in tables["events"]] == [
        (11, 8, at(16_338_861), "click", "category", 1, None),
        (11, 8, at(16_339_000), "view", "browse", None, None),
        (11, 7, at(16_400_500), "click", "search", 2, None),
        (11, 5, at(16_500_000), "view", "browse", None, None),  # after midnight, by its session's clock
        (11, 7, at(16_600_000), "purchase", "browse", None, None),
    ]
    assert [tuple(item.values()) for item in tables["items"]] == [
        (5, None, None),
        (7, "12 34 5", "c1028"),
        (8, "12", "c5"),
        (9, "77", None),
    ]
    assert tables["users"] == [{"user_id": 11}, {"user_id": 12}]


ODD = [
    ("train-queries.csv", {"queryId": "x"}, "query_without_ids", 3, 5),
    ("train-queries.csv", {"queryId": "9", "eventdate": "soon"}, "query_without_time", 3, 5),
    ("train-queries.csv", {"queryId": "9", "timeframe": "-3"}, "query_without_time", 3, 5),
    ("train-queries.csv", {"queryId": "9", "eventdate": "2999-01-01"}, "query_without_time", 3, 5),
    ("train-queries.csv", {"queryId": "9", "is.test": "TRUE"}, "test_query", 3, 5),
    ("train-queries.csv", {"queryId": "9", "is.test": "NA"}, "test_unknown", 3, 5),
    ("train-queries.csv", {"queryId": "9", "items": "NA"}, "query_without_items", 3, 5),
    ("train-queries.csv", {"queryId": "9", "items": "x"}, "query_without_items", 3, 5),
    ("train-queries.csv", {"items": "9,8,7"}, "repeated_query", 3, 5),
    ("train-queries.csv", {"queryId": "9", "items": "9,x"}, "listed_item_not_a_number", 4, 5),
    ("train-queries.csv", {"queryId": "9", "items": "9,8,9"}, "repeated_listed_item", 4, 5),
    ("train-clicks.csv", {"itemId": "NA"}, "click_without_ids", 3, 5),
    ("train-clicks.csv", {"timeframe": "NA"}, "click_without_time", 3, 5),
    ("train-clicks.csv", {"queryId": "99"}, "click_without_query", 3, 5),
    ("train-clicks.csv", {"itemId": "99"}, "clicked_item_not_in_list", 3, 6),
    ("train-clicks.csv", {"timeframe": "16399999"}, "click_before_query", 3, 6),
    ("train-clicks.csv", {}, "repeated_event", 3, 5),
    ("train-item-views.csv", {"sessionId": "NA"}, "view_without_ids", 3, 5),
    ("train-item-views.csv", {"timeframe": "10000000000"}, "view_without_time", 3, 5),
    ("train-purchases.csv", {"itemId": "x"}, "purchase_without_ids", 3, 5),
    ("train-purchases.csv", {"eventdate": "NA"}, "purchase_without_time", 3, 5),
    ("train-purchases.csv", {"ordernumber": "1"}, "repeated_event", 3, 5),
    ("products.csv", {"itemId": "x"}, "product_without_id", 3, 5),
    ("products.csv", {"product.name.tokens": "1"}, "repeated_product", 3, 5),
    ("products.csv", {"itemId": "6", "pricelog2": "x"}, "price_zero_or_none", 3, 5),
    ("product-categories.csv", {"categoryId": "x"}, "category_without_ids", 3, 5),
    ("product-categories.csv", {"categoryId": "9"}, "repeated_category", 3, 5),
    ("train-item-views.csv", {"timeframe": "1", "eventdate": "2016-05-11"}, "later_day", 3, 6),
]
"""One more line, as the last but for some fields; the reason that counts it; requests and events then."""


@pytest.mark.parametrize(("file", "changed", "reason", "requests", "events"), ODD)
def test_what_cannot_be_used_is_counted(
    tmp_path: Path, file: str, changed: dict[str, str], reason: str, requests: int, events: int
) -> None:
    files = with_line(FILES, file, **changed)
    tables, unused = imported("diginetica", source(tmp_path / "src", files), tmp_path / "log")
    assert unused == {**LOST, reason: LOST.get(reason, 0) + 1}
    assert (len(tables["requests"]), len(tables["events"])) == (requests, events)
    assert check_logs(tmp_path / "log").findings == ()


def test_every_reason_is_tried(tmp_path: Path) -> None:
    report = import_logs("diginetica", source(tmp_path / "src"), tmp_path / "log")
    assert {reason for _, _, reason, _, _ in ODD} | {"malformed_line"} == set(report.unusable)
    assert read_json(tmp_path / "log" / "import.json") == report.to_dict()
    assert report.read == {
        "train-queries.csv": 3,
        "train-clicks.csv": 2,
        "train-item-views.csv": 2,
        "train-purchases.csv": 1,
        "products.csv": 3,
        "product-categories.csv": 2,
        "queries with tokens": 2,
        "queries without tokens": 1,
    }


def test_lines_that_do_not_parse_are_counted(tmp_path: Path) -> None:
    src = source(tmp_path / "src")
    add_lines(src / "train-clicks.csv", ["1;16338861", "1;16338862;9"])
    add_lines(src / "products.csv", ["6;1;2;3"])
    report = import_logs("diginetica", src, tmp_path / "log")
    assert unusable(report) == {**LOST, "malformed_line": 2}
    assert report.rows["events"] == 6


def test_a_session_spans_midnight_by_its_own_clock(tmp_path: Path) -> None:
    views = [view(13, 7, 86_300_000), view(13, 8, 86_500_000, "2016-05-10")]
    files = {**FILES, "train-item-views.csv": views}
    tables, _ = imported("diginetica", source(tmp_path / "src", files), tmp_path / "log")
    times = [event["timestamp"] for event in tables["events"] if event["user_id"] == 13]
    assert times == [at(86_300_000), at(86_500_000)]


def test_csv_and_parquet_and_any_order_give_the_same_tables(tmp_path: Path) -> None:
    files = FILES
    for file, changed, *_ in ODD:
        files = with_line(files, file, **changed)
    same_tables("diginetica", files, source, tmp_path)


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    src = source(tmp_path / "src")
    with pytest.raises(CorankError, match=r"products\.csv: expected the folder of Diginetica's data set"):
        import_logs("diginetica", src / "products.csv", tmp_path / "log")
    (src / "train-clicks.csv").rename(src / "train-click.csv")
    sentence = (
        r"no train-clicks\.csv in it; expected the folder of Diginetica's data set;"
        r" did you mean 'train-click\.csv'\?"
    )
    with pytest.raises(CorankError, match=sentence):
        import_logs("diginetica", src, tmp_path / "log")
    (src / "train-click.csv").rename(src / "train-clicks.csv")
    write_files(src, {"products.csv": FILES["products.csv"]}, ".parquet")
    with pytest.raises(CorankError, match=r"products\.csv is there twice, also as products\.parquet"):
        import_logs("diginetica", src, tmp_path / "log")
    (src / "products.parquet").unlink()
    text = (src / "products.csv").read_text().replace("pricelog2", "price.log2")
    (src / "products.csv").write_text(text)
    with pytest.raises(CorankError, match=r"no column 'pricelog2'; did you mean 'price\.log2'\?"):
        import_logs("diginetica", src, tmp_path / "log")
    tests = source(
        tmp_path / "tests", {**FILES, "train-queries.csv": [query(1, 1, 1, "7", **{"is.test": "TRUE"})]}
    )
    with pytest.raises(CorankError, match=r"not one usable request in it \(.*test_query 1"):
        import_logs("diginetica", tests, tmp_path / "log")
    assert not (tmp_path / "log").exists()


def generated(sessions: int = 250, seed: int = 0) -> Files:
    """A made log: four categories, names of four tokens, three pages a session, some of them searches."""
    draw = random.Random(seed)
    kinds = range(4)
    names = {item: [10 * (item % 4) + draw.randrange(10) for _ in range(4)] for item in range(1, 81)}
    files: dict[str, list[dict[str, str]]] = defaultdict(list)
    for session in range(1, sessions + 1):
        day = f"2016-{1 + session * 5 // (sessions + 1):02d}-{1 + session % 28:02d}"
        for page in range(3):
            kind, frame = draw.choice(kinds), 1_000_000 * page + draw.randrange(1000)
            shown = draw.sample([item for item in names if item % 4 == kind], 8)
            number = 3 * session + page
            asked = draw.random() < 0.5
            tokens = ",".join(map(str, draw.sample(names[shown[0]], 2))) if asked else "NA"
            files["train-queries.csv"].append(
                query(
                    number,
                    session,
                    frame,
                    ",".join(map(str, shown)),
                    eventdate=day,
                    categoryId="0" if asked else str(100 + kind),
                    **{"searchstring.tokens": tokens},
                )
            )
            if draw.random() < 0.7:
                item = draw.choice(shown[:4])
                files["train-clicks.csv"].append(click(number, frame + 5_000, item))
                files["train-item-views.csv"].append(view(session, item, frame + 5_100, day))
                if draw.random() < 0.3:
                    files["train-purchases.csv"].append(purchase(session, item, frame + 60_000, day))
    for item, words in names.items():
        files["products.csv"].append(product(item, str(draw.randrange(12)), ",".join(map(str, words))))
        files["product-categories.csv"].append({"itemId": str(item), "categoryId": str(100 + item % 4)})
    return files


def expected_events(files: Files) -> set[tuple[Any, ...]]:
    """The events of a made log, row by row."""
    asked = {row["queryId"]: row for row in files["train-queries.csv"]}

    def deed(row: dict[str, str], action: str, frame: str, domain: str, request: int | None) -> Any:
        day = datetime.fromisoformat(row["eventdate"]).replace(tzinfo=UTC)
        time = day + timedelta(milliseconds=int(frame))
        return int(row["sessionId"]), time, action, domain, request

    events = set()
    for row in files["train-clicks.csv"]:
        its = asked[row["queryId"]]
        domain = "category" if its["searchstring.tokens"] == "NA" else "search"
        made = deed(its, "click", row["timeframe"], domain, int(row["queryId"]))
        events.add((int(row["itemId"]), *made))
    for file, action in (("train-item-views.csv", "view"), ("train-purchases.csv", "purchase")):
        for row in files[file]:
            events.add((int(row["itemId"]), *deed(row, action, row["timeframe"], "browse", None)))
    return events


def test_a_larger_log_is_checked_and_built(tmp_path: Path) -> None:
    files = generated()
    src = source(tmp_path / "src", files)
    made = document("logs", "import", "diginetica", src, tmp_path / "log")
    assert made["rows"]["requests"] == 750
    tables = read_log(tmp_path / "log")
    names = ("item_id", "user_id", "timestamp", "action", "domain", "request_id")
    assert set(columns(tables["events"], *names)) == expected_events(files)
    check_logs(tmp_path / "log").raise_if_broken()
    manifests = {
        recipe: build_samples(
            tmp_path / "log", tmp_path / recipe, recipe=recipe, settings=("rank_columns=[price_log2]",)
        )
        for recipe in ("attributed", "es3")
    }
    assert manifests["attributed"].events["purchase_clicked"] > 0
    assert manifests["es3"].events["searchified"] > 0
    queries = manifests["es3"].sizes["train"].query_sources
    assert queries["cooccurring"] + queries["nearest"] > 0
