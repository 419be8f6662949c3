"""JDsearch: the tables of small files in its format, and every row accounted for."""

from __future__ import annotations

import hashlib
import random
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

DAY = datetime(2022, 10, 17, tzinfo=UTC)

X = "\x18"
"""What stands between the terms of a text."""


def behaviour(
    query: str, shown: str, labels: str, queries: str = "", items: str = "", types: str = "", gaps: str = "0"
) -> dict[str, str]:
    return {
        "query": query,
        "candidate_wid_list": shown,
        "candidate_label_list": labels,
        "history_qry_list": queries,
        "history_wid_list": items,
        "history_type_list": types,
        "history_time_list": gaps,
    }


def product(item: int, name: str, kind: int) -> dict[str, str]:
    named = {
        "wid": str(item),
        "name": name,
        "brand_id": "7",
        "brand_name": f"70{X}71",
    }
    for level in range(1, 5):
        named |= {f"cate_id_{level}": str(10 * level + kind), f"cate_name_{level}": f"9{level}"}
    return {**named, "shop_id": "5"}


FILES: Files = {
    "user_behavior_data.txt": [
        behaviour(
            f"12{X}32{X}56",
            "456_457_789",
            "3.0_1.0_0.0",
            f"323{X}328{X}196_-1_12{X}54_12",
            "889_256_345_345",
            "ORD_CLICK_CART_FLW",
            "0_12_4_0_5",
        ),
        behaviour("77", "789_456", "2.0_0.0"),
    ],
    "product_meta_data.txt": [product(456, f"12{X}99", 1), product(889, "196", 2)],
}
"""The README's example, a little longer, and a user without a history."""

LOST = {"product_not_described": 4}


def source(folder: Path, files: Files = FILES) -> Path:
    return write_files(folder, files, delimiter="\t", quoted=False)


def user(line: dict[str, str]) -> int:
    """The id made of a line: the first 60 bits of its digest."""
    return int(hashlib.md5("\t".join(line.values()).encode()).hexdigest()[:15], 16)


def second(line: dict[str, str]) -> datetime:
    return DAY + timedelta(seconds=user(line) % 86_400)


LONG, SHORT = (user(line) for line in FILES["user_behavior_data.txt"])
AT = {user(line): second(line) for line in FILES["user_behavior_data.txt"]}


def at(who: int, seconds: int, microseconds: int) -> datetime:
    return AT[who] + timedelta(seconds=seconds, microseconds=microseconds)


def test_a_users_last_search_becomes_a_request(tmp_path: Path) -> None:
    tables, unused = imported("jdsearch", source(tmp_path / "src"), tmp_path / "log")
    assert unused == LOST
    requests = [
        (LONG, LONG, "search", at(LONG, 0, 5), "12 32 56"),
        (SHORT, SHORT, "search", at(SHORT, 0, 1), "77"),
    ]
    assert [tuple(request.values()) for request in tables["requests"]] == sorted(requests, key=lambda r: r[3])
    names = ("request_id", "item_id", "exposed", "position")
    assert list(tables["candidates"][0]) == list(names)
    assert columns(tables["candidates"], *names) == sorted(
        [
            (LONG, 456, True, 1),
            (LONG, 457, True, 2),
            (LONG, 789, True, 3),
            (SHORT, 456, True, 1),  # published after 789, which was put in the cart
            (SHORT, 789, True, 2),
        ]
    )
    assert tables["users"] == [{"user_id": who} for who in sorted((LONG, SHORT))]
    assert check_logs(tmp_path / "log").findings == ()


def test_histories_and_labels_become_events(tmp_path: Path) -> None:
    tables, _ = imported("jdsearch", source(tmp_path / "src"), tmp_path / "log")
    found = [tuple(event.values()) for event in tables["events"]]
    assert [event for event in found if event[0] == LONG] == [
        (LONG, 889, at(LONG, -21, 1), "purchase", "search", None, None, "323 328 196"),
        (LONG, 256, at(LONG, -9, 2), "click", "browse", None, None, None),
        (LONG, 345, at(LONG, -5, 3), "cart", "search", None, None, "12 54"),
        (LONG, 345, at(LONG, -5, 4), "follow", "search", None, None, "12"),
        (LONG, 457, at(LONG, 0, 6), "click", "search", LONG, None, "12 32 56"),
        (LONG, 456, at(LONG, 0, 8), "purchase", "search", LONG, None, "12 32 56"),
    ]
    assert [event for event in found if event[0] == SHORT] == [
        (SHORT, 789, at(SHORT, 0, 3), "cart", "search", SHORT, None, "77"),
    ]


def test_products_seen_become_items(tmp_path: Path) -> None:
    tables, _ = imported("jdsearch", source(tmp_path / "src"), tmp_path / "log")
    none = dict.fromkeys(list(tables["items"][0])[1:])
    known = {"category_names": "91 92 93 94", "brand_id": 7, "brand_name": "70 71", "shop_id": 5}
    ids = ("category_1_id", "category_2_id", "category_3_id")
    assert tables["items"] == [
        {"item_id": 256, **none},
        {"item_id": 345, **none},
        {
            "item_id": 456,
            "title": "12 99",
            "category": "c41",
            **dict(zip(ids, (11, 21, 31), strict=True)),
            **known,
        },
        {"item_id": 457, **none},
        {"item_id": 789, **none},
        {
            "item_id": 889,
            "title": "196",
            "category": "c42",
            **dict(zip(ids, (12, 22, 32), strict=True)),
            **known,
        },
    ]


BEHAVIOUR, PRODUCTS = FILES

ODD = [
    (BEHAVIOUR, {"candidate_wid_list": ""}, "line_without_candidates", 2, 7),
    (BEHAVIOUR, {"candidate_wid_list": "x_y"}, "line_without_candidates", 2, 7),
    (BEHAVIOUR, {"candidate_label_list": "2.0"}, "candidates_and_labels_differ", 2, 7),
    (BEHAVIOUR, {}, "repeated_line", 2, 7),
    (BEHAVIOUR, {"query": ""}, "search_without_query", 3, 8),
    (BEHAVIOUR, {"candidate_wid_list": "789_x"}, "candidate_not_a_number", 3, 8),
    (BEHAVIOUR, {"candidate_wid_list": "789_789"}, "repeated_candidate", 3, 8),
    (BEHAVIOUR, {"candidate_label_list": "2.0_1.5"}, "unknown_label", 3, 8),
    (BEHAVIOUR, {"candidate_label_list": "2.0_x"}, "unknown_label", 3, 8),
    (BEHAVIOUR, {"history_wid_list": "889"}, "history_lists_differ", 3, 8),
    (
        BEHAVIOUR,
        {
            "history_wid_list": "889",
            "history_qry_list": "-1",
            "history_type_list": "ORD",
            "history_time_list": "0_x",
        },
        "history_lists_differ",
        3,
        8,
    ),
    (
        BEHAVIOUR,
        {
            "history_wid_list": "889",
            "history_qry_list": "-1",
            "history_type_list": "ORD",
            "history_time_list": "0_999999999",
        },
        "history_lists_differ",
        3,
        8,
    ),
    (
        BEHAVIOUR,
        {
            "history_wid_list": "x",
            "history_qry_list": "-1",
            "history_type_list": "ORD",
            "history_time_list": "0_1",
        },
        "history_item_not_a_number",
        3,
        8,
    ),
    (
        BEHAVIOUR,
        {
            "history_wid_list": "889",
            "history_qry_list": "-1",
            "history_type_list": "LOOK",
            "history_time_list": "0_1",
        },
        "unknown_history_type",
        3,
        8,
    ),
    (PRODUCTS, {"wid": "x"}, "product_without_id", 2, 7),
    (PRODUCTS, {"name": "197"}, "repeated_product", 2, 7),
    (BEHAVIOUR, {"candidate_wid_list": "789_790"}, "product_not_described", 3, 8),
]
"""One more line, as the last but for some fields; the reason that counts it; requests and events then."""


@pytest.mark.parametrize(("file", "changed", "reason", "requests", "events"), ODD)
def test_what_cannot_be_used_is_counted(
    tmp_path: Path, file: str, changed: dict[str, str], reason: str, requests: int, events: int
) -> None:
    files = with_line(FILES, file, **changed)
    tables, unused = imported("jdsearch", source(tmp_path / "src", files), tmp_path / "log")
    assert unused == {**LOST, reason: LOST.get(reason, 0) + 1}
    assert (len(tables["requests"]), len(tables["events"])) == (requests, events)
    found = {finding.rule for finding in check_logs(tmp_path / "log").findings}
    assert found == ({"requests-search-without-query"} if reason == "search_without_query" else set())


def test_every_reason_is_tried(tmp_path: Path) -> None:
    report = import_logs("jdsearch", source(tmp_path / "src"), tmp_path / "log")
    assert {reason for _, _, reason, _, _ in ODD} | {"malformed_line"} == set(report.unusable)
    assert read_json(tmp_path / "log" / "import.json") == report.to_dict()
    assert report.read == {
        "user_behavior_data.txt": 2,
        "product_meta_data.txt": 2,
        "candidates": 5,
        "candidates with a label above 0": 3,
        "interactions in histories": 4,
    }


def test_labels_of_a_repeated_candidate_all_count(tmp_path: Path) -> None:
    line = behaviour("1", "5_6_5_5", "1.0_0.0_3.0_1.0")
    files = {**FILES, BEHAVIOUR: [line]}
    tables, unused = imported("jdsearch", source(tmp_path / "src", files), tmp_path / "log")
    assert unused["repeated_candidate"] == 2
    assert columns(tables["candidates"], "item_id", "position") == [(5, 1), (6, 2)]
    assert columns(tables["events"], "item_id", "action") == [(5, "click"), (5, "purchase")]


def test_the_published_order_of_candidates_leaves_no_trace(tmp_path: Path) -> None:
    """Those interacted with stand first in the published lists: keeping the order would give them away."""
    line = behaviour("1", "9_8_7_6_5", "1.0_1.0_0.0_0.0_0.0")
    files = {**FILES, BEHAVIOUR: [line]}
    tables, _ = imported("jdsearch", source(tmp_path / "src", files), tmp_path / "log")
    assert columns(tables["candidates"], "item_id", "position") == [(5, 1), (6, 2), (7, 3), (8, 4), (9, 5)]


def test_lines_that_do_not_parse_are_counted(tmp_path: Path) -> None:
    src = source(tmp_path / "src")
    add_lines(src / BEHAVIOUR, ["12\t456", '1"2\t456\t"1.0"\t\t\t\t0'])
    report = import_logs("jdsearch", src, tmp_path / "log")
    assert unusable(report) == {**LOST, "malformed_line": 1, "unknown_label": 1}
    assert report.rows["requests"] == 3  # quotes are characters like others


def test_text_and_parquet_and_any_order_give_the_same_tables(tmp_path: Path) -> None:
    files = FILES
    for file, changed, *_ in ODD:
        files = with_line(files, file, **changed)
    same_tables("jdsearch", files, source, tmp_path)


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    src = source(tmp_path / "src")
    with pytest.raises(
        CorankError, match=r"expected the folder of the JDsearch data set, with user_behavior"
    ):
        import_logs("jdsearch", src / BEHAVIOUR, tmp_path / "log")
    (src / PRODUCTS).rename(src / "product_data.txt")
    sentence = r"no product_meta_data\.txt in it; .*; did you mean 'product_data\.txt'\?"
    with pytest.raises(CorankError, match=sentence):
        import_logs("jdsearch", src, tmp_path / "log")
    (src / "product_data.txt").rename(src / PRODUCTS)
    text = (src / BEHAVIOUR).read_text()
    (src / BEHAVIOUR).write_text(text.replace("candidate_wid_list", "candidate_list"))
    with pytest.raises(CorankError, match=r"no column 'candidate_wid_list'; did you mean 'candidate_list'"):
        import_logs("jdsearch", src, tmp_path / "log")
    (src / BEHAVIOUR).write_text(text.replace("\t", ","))
    with pytest.raises(CorankError, match=r"user_behavior_data\.txt: no column 'query'"):
        import_logs("jdsearch", src, tmp_path / "log")
    files = {**FILES, BEHAVIOUR: [behaviour("1", "", "")]}
    with pytest.raises(CorankError, match="not one usable request in it"):
        import_logs("jdsearch", source(tmp_path / "none", files), tmp_path / "log")
    assert not (tmp_path / "log").exists()


def generated(users: int = 300, seed: int = 0) -> Files:
    """Made users: up to 30 interactions, then a search with ten candidates, the first of them touched."""
    draw = random.Random(seed)
    names = {item: [10 * (item % 5) + draw.randrange(10) for _ in range(4)] for item in range(1000, 1100)}

    def ask(item: int) -> str:
        return X.join(map(str, draw.sample(names[item], 2)))

    behaviours = []
    for _ in range(users):
        past = [draw.choice(list(names)) for _ in range(draw.randrange(31))]
        kind = draw.randrange(5)
        shown = draw.sample([item for item in names if item % 5 == kind], 10)
        labels = sorted((draw.choice((0, 0, 0, 1, 1, 2, 3)) for _ in range(2)), reverse=True) + [0] * 8
        behaviours.append(
            behaviour(
                ask(shown[0]),
                "_".join(map(str, shown)),
                "_".join(f"{label}.0" for label in labels),
                "_".join(ask(item) if draw.random() < 0.4 else "-1" for item in past),
                "_".join(map(str, past)),
                "_".join(draw.choice(("CLICK", "CLICK", "CART", "ORD", "FLW")) for _ in past),
                "_".join(map(str, [0, *(draw.choice((0, 3, 50, 9_000, 400_000)) for _ in past)])),
            )
        )
    products = [product(item, X.join(map(str, terms)), item % 5) for item, terms in names.items()]
    return {BEHAVIOUR: behaviours, PRODUCTS: products}


def expected_events(files: Files) -> set[tuple[Any, ...]]:
    """The events of made users, line by line."""
    named = {"CLICK": "click", "CART": "cart", "ORD": "purchase", "FLW": "follow"}
    events: set[tuple[Any, ...]] = set()
    for line in files[BEHAVIOUR]:
        who = user(line)
        past = line["history_wid_list"].split("_") if line["history_wid_list"] else []
        types, asked = line["history_type_list"].split("_"), line["history_qry_list"].split("_")
        gaps = [int(gap) for gap in line["history_time_list"].split("_")]
        for place, item in enumerate(past):
            seconds = -sum(gaps[place + 1 :])
            time = second(line) + timedelta(seconds=seconds, microseconds=place + 1)
            domain = "browse" if asked[place] == "-1" else "search"
            events.add((who, int(item), time, named[types[place]], domain, None))
        for item, label in zip(
            line["candidate_wid_list"].split("_"), line["candidate_label_list"].split("_"), strict=True
        ):
            level = int(float(label))
            if level:
                time = second(line) + timedelta(microseconds=len(past) + 1 + level)
                events.add((who, int(item), time, ["click", "cart", "purchase"][level - 1], "search", who))
    return events


def test_larger_behaviour_is_checked_and_built(tmp_path: Path) -> None:
    files = generated()
    src = source(tmp_path / "src", files)
    made = document("logs", "import", "jdsearch", src, tmp_path / "log")
    assert made["rows"]["requests"] == 300
    tables = read_log(tmp_path / "log")
    names = ("user_id", "item_id", "timestamp", "action", "domain", "request_id")
    assert set(columns(tables["events"], *names)) == expected_events(files)
    check_logs(tmp_path / "log").raise_if_broken()
    manifest = build_samples(
        tmp_path / "log", tmp_path / "samples", recipe="attributed", settings=("click_actions=[click,cart]",)
    )
    labelled = sum(event["request_id"] is not None for event in tables["events"])
    assert 0.7 * labelled < manifest.events["labels"] <= labelled
