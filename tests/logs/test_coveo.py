"""Coveo's sessions: the tables of small files in their format, and every row accounted for."""

from __future__ import annotations

import ast
import hashlib
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
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
from corank.samples import build_samples, read_manifest

START = 1_548_575_194_779
"""Milliseconds since 1970, as in the published samples."""


def search(session: str, second: float, shown: list[str], clicked: list[str], vector: str) -> dict[str, str]:
    return {
        "session_id_hash": session,
        "query_vector": vector,
        "clicked_skus_hash": str(clicked) if clicked else "",
        "product_skus_hash": str(shown) if shown else "",
        "server_timestamp_epoch_ms": str(START + round(1000 * second)),
    }


def browse(session: str, second: float, action: str = "", item: str = "") -> dict[str, str]:
    return {
        "session_id_hash": session,
        "event_type": "event_product" if action else "pageview",
        "product_action": action,
        "product_sku_hash": item,
        "server_timestamp_epoch_ms": str(START + round(1000 * second)),
        "hashed_url": "7e45",
    }


def content(item: str, description: str, category: str, image: str, price: str) -> dict[str, str]:
    return {
        "product_sku_hash": item,
        "description_vector": description,
        "category_hash": category,
        "image_vector": image,
        "price_bucket": price,
    }


FILES: Files = {
    "search_train.csv": [
        search("s1", 4, ["a1", "b1", "c1"], ["b1"], "[-0.5, 0.25]"),
        search("s2", 0, ["c1", "a1"], [], "[-0.5, 0.25]"),
        search("s1", 9, ["c1"], [], "[1.0, -2e-05]"),
    ],
    "browsing_train.csv": [
        browse("s1", 3, "detail", "b1"),
        browse("s1", 0),
        browse("s1", 3),
        browse("s1", 6, "detail", "b1"),
        browse("s1", 7, "add", "b1"),
        browse("s1", 8, "remove", "b1"),
        browse("s3", 2, "purchase", "d1"),
    ],
    "sku_to_content.csv": [
        content("a1", "[0.5, 0.0]", "x/y", "[340.5, 1.0, 2.0]", "7.0"),
        content("b1", "[0.25, -0.5]", "x", "[1.0, 2.0, 3.0]", "2.0"),
        content("e1", "", "", "", ""),
    ],
}
"""Two sessions that search, one that only buys; a product that was never seen."""


def source(folder: Path, files: Files = FILES) -> Path:
    return write_files(folder, files)


def at(second: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=START + round(1000 * second))


def word(vector: str) -> str:
    return "q" + hashlib.md5(vector.encode()).hexdigest()[:16]


def test_searches_with_their_results_become_requests(tmp_path: Path) -> None:
    tables, unused = imported("coveo", source(tmp_path / "src"), tmp_path / "log")
    assert unused == {}
    same, other = word("[-0.5, 0.25]"), word("[1.0, -2e-05]")
    vector = [-0.5, 0.25]
    assert [tuple(request.values())[:6] for request in tables["requests"]] == [
        (f"s2:{START}", "s2", "search", at(0), same, vector),
        (f"s1:{START + 4000}", "s1", "search", at(4), same, vector),
        (f"s1:{START + 9000}", "s1", "search", at(9), other, [1.0, pytest.approx(-2e-5)]),
    ]
    context = ("session_seconds", "seconds_since_action", "previous_action", "pages")
    assert columns(tables["requests"], *context) == [
        (0, None, None, 0),
        (4, 1, "view", 2),
        (9, 1, "remove", 2),
    ]
    names = ("request_id", "item_id", "exposed", "position", "price_bucket")
    assert list(tables["candidates"][0]) == list(names)
    assert columns(tables["candidates"], *names) == [
        (f"s2:{START}", "c1", True, 1, None),
        (f"s2:{START}", "a1", True, 2, 7),
        (f"s1:{START + 4000}", "a1", True, 1, 7),
        (f"s1:{START + 4000}", "b1", True, 2, 2),
        (f"s1:{START + 4000}", "c1", True, 3, None),
        (f"s1:{START + 9000}", "c1", True, 1, None),
    ]
    assert check_logs(tmp_path / "log").findings == ()


def test_clicks_and_product_actions_become_events(tmp_path: Path) -> None:
    tables, _ = imported("coveo", source(tmp_path / "src"), tmp_path / "log")
    assert [tuple(event.values()) for event in tables["events"]] == [
        ("s3", "d1", at(2), "purchase", "browse", None, None),
        ("s1", "b1", at(3), "view", "browse", None, None),
        ("s1", "b1", at(4), "click", "search", f"s1:{START + 4000}", None),
        ("s1", "b1", at(6), "view", "browse", None, None),
        ("s1", "b1", at(7), "cart", "browse", None, None),
        ("s1", "b1", at(8), "remove", "browse", None, None),
    ]
    assert [tuple(item.values()) for item in tables["items"]] == [
        ("a1", None, "x/y", [0.5, 0.0], [340.5, 1.0, 2.0]),
        ("b1", None, "x", [0.25, -0.5], [1.0, 2.0, 3.0]),
        ("c1", None, None, None, None),
        ("d1", None, None, None, None),
    ]
    assert tables["users"] == [{"user_id": user} for user in ("s1", "s2", "s3")]
    assert pq.read_schema(tmp_path / "log" / "items.parquet").field("embedding").type == pa.list_(
        pa.field("element", pa.float32())
    )


ODD = [
    ("search_train.csv", {"session_id_hash": ""}, "search_without_session", 3, 6),
    ("search_train.csv", {"server_timestamp_epoch_ms": "1548575194"}, "search_without_time", 3, 6),
    ("search_train.csv", {}, "repeated_search", 3, 6),
    ("search_train.csv", {"product_skus_hash": ""}, "search_without_results", 3, 6),
    (
        "search_train.csv",
        {"product_skus_hash": "[]", "clicked_skus_hash": "['b1']"},
        "search_without_results",
        3,
        7,
    ),
    (
        "search_train.csv",
        {"session_id_hash": "s4", "clicked_skus_hash": "['b1']"},
        "clicked_item_not_in_list",
        4,
        7,
    ),
    (
        "search_train.csv",
        {"session_id_hash": "s4", "product_skus_hash": "['a1', 'a1']"},
        "repeated_result",
        4,
        6,
    ),
    ("search_train.csv", {"product_skus_hash": "['a1']"}, "searched_twice_at_once", 4, 6),
    ("search_train.csv", {"session_id_hash": "s4", "query_vector": "[nan, 1]"}, "vector_not_numbers", 4, 6),
    ("search_train.csv", {"session_id_hash": "s4", "query_vector": "word"}, "vector_not_numbers", 4, 6),
    ("search_train.csv", {"session_id_hash": "s4", "query_vector": "[1]"}, "vector_of_other_length", 4, 6),
    ("browsing_train.csv", {"session_id_hash": ""}, "action_without_session", 3, 6),
    ("browsing_train.csv", {"server_timestamp_epoch_ms": "soon"}, "action_without_time", 3, 6),
    ("browsing_train.csv", {"product_action": "teleport"}, "unknown_action", 3, 6),
    ("browsing_train.csv", {"product_sku_hash": ""}, "action_without_product", 3, 6),
    ("browsing_train.csv", {}, "repeated_event", 3, 6),
    ("sku_to_content.csv", {"product_sku_hash": ""}, "product_without_id", 3, 6),
    ("sku_to_content.csv", {"category_hash": "z"}, "repeated_product", 3, 6),
    (
        "sku_to_content.csv",
        {"product_sku_hash": "f1", "image_vector": "[1.0]"},
        "vector_of_other_length",
        3,
        6,
    ),
    (
        "sku_to_content.csv",
        {"product_sku_hash": "f1", "image_vector": "[1.0, x]"},
        "vector_not_numbers",
        3,
        6,
    ),
    (
        "sku_to_content.csv",
        {"product_sku_hash": "f1", "description_vector": "[]"},
        "vector_of_other_length",
        3,
        6,
    ),
    (
        "sku_to_content.csv",
        {"product_sku_hash": "f1", "price_bucket": "x"},
        "price_bucket_not_a_number",
        3,
        6,
    ),
]
"""One more line, as the last but for some fields; the reason that counts it; requests and events then."""


@pytest.mark.parametrize(("file", "changed", "reason", "requests", "events"), ODD)
def test_what_cannot_be_used_is_counted(
    tmp_path: Path, file: str, changed: dict[str, str], reason: str, requests: int, events: int
) -> None:
    files = with_line(FILES, file, **changed)
    tables, unused = imported("coveo", source(tmp_path / "src", files), tmp_path / "log")
    assert unused == {reason: 1}
    assert (len(tables["requests"]), len(tables["events"])) == (requests, events)
    assert check_logs(tmp_path / "log").findings == ()


def test_a_search_without_a_vector_has_no_query(tmp_path: Path) -> None:
    files = with_line(FILES, "search_train.csv", session_id_hash="s4", query_vector="")
    tables, unused = imported("coveo", source(tmp_path / "src", files), tmp_path / "log")
    assert unused == {"search_without_vector": 1}
    assert [r["query"] for r in tables["requests"] if r["user_id"] == "s4"] == [None]
    (finding,) = check_logs(tmp_path / "log").findings
    assert (finding.rule, finding.severity) == ("requests-search-without-query", "warning")


def test_every_reason_is_tried(tmp_path: Path) -> None:
    report = import_logs("coveo", source(tmp_path / "src"), tmp_path / "log")
    tried = {reason for _, _, reason, _, _ in ODD} | {"search_without_vector", "malformed_line"}
    assert tried == set(report.unusable)
    assert read_json(tmp_path / "log" / "import.json") == report.to_dict()
    assert report.read == {
        "search_train.csv": 3,
        "browsing_train.csv": 7,
        "sku_to_content.csv": 3,
        "page views": 2,
        "detail actions": 2,
        "add actions": 1,
        "remove actions": 1,
        "purchase actions": 1,
        "click actions": 0,
    }


def test_a_search_knows_only_what_was_strictly_before_it(tmp_path: Path) -> None:
    files = {
        **FILES,
        "browsing_train.csv": [browse("s1", 4), browse("s1", 4, "detail", "a1"), browse("s2", 9)],
    }
    tables, _ = imported("coveo", source(tmp_path / "src", files), tmp_path / "log")
    context = ("session_seconds", "seconds_since_action", "previous_action", "pages")
    assert columns(tables["requests"], *context) == [
        (0, None, None, 0),
        (0, None, None, 0),
        (5, 5, "view", 1),
    ]


def test_lines_that_do_not_parse_are_counted(tmp_path: Path) -> None:
    src = source(tmp_path / "src")
    add_lines(src / "browsing_train.csv", ["s1,pageview,,", 's1,pageview,,,"1548575194779",7e45'])
    report = import_logs("coveo", src, tmp_path / "log")
    assert unusable(report) == {"malformed_line": 1}
    assert report.read["page views"] == 3


def test_csv_and_parquet_and_any_order_give_the_same_tables(tmp_path: Path) -> None:
    files = FILES
    for file, changed, *_ in ODD:
        files = with_line(files, file, **changed)
    same_tables("coveo", files, source, tmp_path)


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    src = source(tmp_path / "src")
    with pytest.raises(CorankError, match=r"expected the folder of Coveo's data set, with search_train\.csv"):
        import_logs("coveo", src / "search_train.csv", tmp_path / "log")
    (src / "search_train.csv").rename(src / "search_train_sample.csv")
    sentence = r"no search_train\.csv in it; .*; did you mean 'search_train_sample\.csv'\?"
    with pytest.raises(CorankError, match=sentence):
        import_logs("coveo", src, tmp_path / "log")
    (src / "search_train_sample.csv").rename(src / "search_train.csv")
    text = (src / "sku_to_content.csv").read_text().replace("price_bucket", "price")
    (src / "sku_to_content.csv").write_text(text)
    with pytest.raises(CorankError, match=r"sku_to_content\.csv: no column 'price_bucket'"):
        import_logs("coveo", src, tmp_path / "log")
    (src / "sku_to_content.csv").unlink()
    (src / "sku_to_content.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorankError, match=r"sku_to_content\.parquet: not readable as Parquet"):
        import_logs("coveo", src, tmp_path / "log")
    files = {**FILES, "search_train.csv": [search("s1", 0, [], [], "[1.0]")]}
    with pytest.raises(CorankError, match="not one usable request in it"):
        import_logs("coveo", source(tmp_path / "none", files), tmp_path / "log")
    assert not (tmp_path / "log").exists()


def generated(sessions: int = 250, seed: int = 0) -> Files:
    """Made sessions: two searches each, of four kinds of products; clicks lead to views, carts, purchases."""
    draw = random.Random(seed)
    centres = [[1.0 if axis == kind else 0.0 for axis in range(4)] for kind in range(4)]

    def near(kind: int) -> str:
        return str([value + draw.uniform(-0.2, 0.2) for value in centres[kind]])

    items = [f"p{number:02d}" for number in range(60)]
    files: dict[str, list[dict[str, str]]] = defaultdict(list)
    for session in range(sessions):
        name, start = f"s{session:03d}", 10_000.0 * session
        for page in range(2):
            kind, second = draw.randrange(4), start + 300 * page
            shown = draw.sample([item for item in items if int(item[1:]) % 4 == kind], 8)
            clicked = draw.sample(shown[:5], draw.choice((0, 1, 1, 2)))
            vector = str([round(value, 3) for value in centres[kind]])
            files["search_train.csv"].append(search(name, second, shown, clicked, vector))
            files["browsing_train.csv"].append(browse(name, second))
            for item in clicked:
                files["browsing_train.csv"].append(browse(name, second + 2, "detail", item))
                for action, share in (("add", 0.5), ("purchase", 0.3)):
                    if draw.random() < share:
                        files["browsing_train.csv"].append(browse(name, second + 30, action, item))
    for item in items:
        kind = int(item[1:]) % 4
        files["sku_to_content.csv"].append(
            content(item, near(kind), f"c{kind}", near(kind), str(float(draw.randrange(1, 11))))
        )
    return files


def expected_events(files: Files) -> set[tuple[Any, ...]]:
    """The events of made sessions, row by row."""
    named = {"detail": "view", "add": "cart", "purchase": "purchase"}
    events: set[tuple[Any, ...]] = set()
    for row in files["search_train.csv"]:
        session, ms = row["session_id_hash"], int(row["server_timestamp_epoch_ms"])
        for item in ast.literal_eval(row["clicked_skus_hash"] or "[]"):
            events.add((session, item, ms, "click", f"{session}:{ms}"))
    for row in files["browsing_train.csv"]:
        if row["product_action"]:
            ms = int(row["server_timestamp_epoch_ms"])
            action = named[row["product_action"]]
            events.add((row["session_id_hash"], row["product_sku_hash"], ms, action, None))
    return events


def test_larger_sessions_are_checked_and_built(tmp_path: Path) -> None:
    files = generated()
    src = source(tmp_path / "src", files)
    made = document("logs", "import", "coveo", src, tmp_path / "log")
    assert made["rows"]["requests"] == 500
    tables = read_log(tmp_path / "log")
    found = {
        (e["user_id"], e["item_id"], round(1000 * e["timestamp"].timestamp()), e["action"], e["request_id"])
        for e in tables["events"]
    }
    assert found == expected_events(files)
    check_logs(tmp_path / "log").raise_if_broken()
    manifest = build_samples(
        tmp_path / "log", tmp_path / "samples", recipe="attributed", settings=("rank_columns=[price_bucket]",)
    )
    assert manifest.events["purchase_clicked"] > 0
    assert "query_embedding" in read_manifest(tmp_path / "samples").columns
