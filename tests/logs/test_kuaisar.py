"""KuaiSAR: the five tables from small files in its published form, and every row accounted for."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.cli import document
from tests.logs.published import Row, unusable, write_file, write_files
from tests.logs.tiny import read_log

from corank.errors import CorankError
from corank.files import read_json
from corank.logs import check_logs, import_logs, open_logs
from corank.logs.schemas import TABLES
from corank.samples import build_samples

MS = 1684763932919
"""The example of the data's description: 2023-05-22 21:58:52 in Beijing."""

Files = dict[str, list[Row]]


def result(item: int, session: int = 1, after: float = 0, **other: Any) -> Row:
    """A row of src_inter, its columns in the order of the files, `after` seconds after the example."""
    row = {
        "keyword": [20, 34, 3],
        "item_id": item,
        "click_cnt": 0,
        "search_session_id": session,
        "item_type": "VIDEO",
        "user_id": 5,
        "search_session_timestamp": MS + int(1000 * after),
        "search_source": "USER_INPUT",
        "search_session_time": "2023-05-22 21:58:52",
    }
    return row | other


def sent(item: int, after: float = 0, **other: Any) -> Row:
    """A row of rec_inter."""
    row = {
        "user_id": 5,
        "item_id": item,
        "duration_ms": 45400.0,
        "playing_time": 0.0,
        "timestamp": float(MS + int(1000 * after)),
        "forward": 0,
        "like": 0,
        "follow": 0,
        "search_item_related": 0,
        "search": 0,
        "click": 0,
        "time": "2023-05-22 21:58:52",
    }
    return row | other


def user(number: int) -> Row:
    return {
        "user_id": number,
        "onehot_feat1": 2,
        "onehot_feat2": 7,
        "search_active_level": 1,
        "reco_active_level": 3,
    }


def item(number: int, caption: list[int], **other: Any) -> Row:
    row = {
        "item_id": number,
        "caption": caption,
        "author_id": 10,
        "item_type": "NORMAL",
        "upload_time": "2023-04-22",
        "upload_type": "LongImport",
        "music_id": 77,
        "first_level_category_id": 9,
        "first_level_category_name": "搞笑",
        "second_level_category_id": 0,
        "second_level_category_name": "空",
        "first_level_category_name_en": "Funny",
        "second_level_category_name_en": "empty",
    }
    return row | other


def small() -> Files:
    """Two searches, with and without a click, and what was sent at two times."""
    return {
        "src_inter": [
            result(11),
            result(12, click_cnt=2, item_type="LIVE"),
            result(13, 2, 60, keyword=[7], search_source="RELATED"),
        ],
        "rec_inter": [
            sent(12, -3600, click=1, like=1, playing_time=60792.0, search=1, search_item_related=1),
            sent(14, -3600, playing_time=812.5),
            sent(11, 120, click=1, follow=1, forward=1, search=1, search_item_related=0),
        ],
        "user_features": [user(5), user(6)],
        "item_features": [
            item(11, [20, 5]),
            item(12, [34]),
            item(13, [], author_id=0, upload_time="1970-01-01"),
            item(14, [3], first_level_category_name_en="UNKNOWN", first_level_category_name="未知"),
            item(99, [1]),
        ],
        "social_network": [{"user_id": 5, "user_follow_id": 19270}, {"user_id": 5, "user_follow_id": 6}],
    }


def at(seconds: float) -> datetime:
    return datetime(2023, 5, 22, 13, 58, 52, 919000, tzinfo=UTC) + timedelta(seconds=seconds)


FIRST, SEARCH, SECOND, LAST = (
    f"rec:5:{MS - 3_600_000}",
    "search:5:1",
    "search:5:2",
    f"rec:5:{MS + 120_000}",
)


def test_the_tables_of_a_small_folder(tmp_path: Path) -> None:
    report = import_logs("kuaisar", write_files(tmp_path / "src", small()), tmp_path / "log")
    log = read_log(tmp_path / "log")
    assert log["requests"] == [
        {"request_id": name, "user_id": 5, "domain": domain, "timestamp": at(after), **asked}
        for name, domain, after, asked in (
            (FIRST, "rec", -3600, {"query": None, "search_source": None}),
            (SEARCH, "search", 0, {"query": "w20 w34 w3", "search_source": "USER_INPUT"}),
            (SECOND, "search", 60, {"query": "w7", "search_source": "RELATED"}),
            (LAST, "rec", 120, {"query": None, "search_source": None}),
        )
    ]
    assert log["candidates"] == [
        {"request_id": name, "item_id": number, "exposed": True, "position": place, "result_type": kind}
        for name, number, place, kind in (
            (FIRST, 12, 1, None),
            (FIRST, 14, 2, None),
            (SEARCH, 11, 1, "VIDEO"),
            (SEARCH, 12, 2, "LIVE"),
            (SECOND, 13, 1, "VIDEO"),
            (LAST, 11, 1, None),
        )
    ]
    assert log["events"] == [
        {
            "user_id": 5,
            "item_id": number,
            "timestamp": at(after),
            "action": action,
            "domain": name.split(":")[0],
            "request_id": name,
            "value": None,
            "play_ms": played,
        }
        for name, number, after, action, played in (
            (FIRST, 12, -3600, "click", None),
            (FIRST, 12, -3600, "like", None),
            (FIRST, 12, -3600, "play", 60792.0),
            (FIRST, 12, -3600, "search_related", None),
            (FIRST, 14, -3600, "play", 812.5),
            (SEARCH, 12, 0, "click", None),
            (LAST, 11, 120, "click", None),
            (LAST, 11, 120, "follow", None),
            (LAST, 11, 120, "forward", None),
            (LAST, 11, 120, "search", None),
        )
    ]
    assert log["users"] == [
        {
            "user_id": 5,
            "search_active_level": 1,
            "rec_active_level": 3,
            "onehot_feat1": "2",
            "onehot_feat2": "7",
            "follows": [6, 19270],
        }
    ]
    same = {"music_id": 77, "item_type": "NORMAL", "upload_type": "LongImport", "second_category": None}
    assert log["items"] == [
        same | {"item_id": number, "title": title, "category": kind, "author_id": author, "upload_day": day}
        for number, title, kind, author, day in (
            (11, "w20 w5", "Funny", 10, 19469),
            (12, "w34", "Funny", 10, 19469),
            (13, None, "Funny", None, None),
            (14, "w3", None, 10, 19469),
        )
    ]
    assert unusable(report) == {"attributes_unseen": 2}
    assert report.read == {
        "src_inter.csv": 3,
        "rec_inter.csv": 3,
        "social_network.csv": 2,
        "user_features.csv": 2,
        "item_features.csv": 5,
    }
    assert check_logs(tmp_path / "log").findings == ()


def test_no_outcome_is_in_what_was_known_before(tmp_path: Path) -> None:
    import_logs("kuaisar", write_files(tmp_path / "src", small()), tmp_path / "log")
    log = open_logs(tmp_path / "log")
    assert log.schema("requests").names == [
        "request_id",
        "user_id",
        "domain",
        "timestamp",
        "query",
        "search_source",
    ]
    assert log.schema("candidates").names == ["request_id", "item_id", "exposed", "position", "result_type"]


ODD: list[tuple[str, Row, str, int, int]] = [
    ("src_inter", result(15, user_id=None), "no_user", 4, 10),
    ("rec_inter", sent(15, user_id="x"), "no_user", 4, 10),
    ("src_inter", result(15, item_id=-124), "no_item", 4, 10),
    ("rec_inter", sent(15, item_id=None), "no_item", 4, 10),
    ("src_inter", result(15, search_session_timestamp=MS // 1000), "bad_timestamp", 4, 10),
    ("rec_inter", sent(15, timestamp=None), "bad_timestamp", 4, 10),
    ("src_inter", result(15, search_session_id=None), "no_session", 4, 10),
    ("src_inter", result(15, click_cnt="yes"), "bad_feedback", 4, 10),
    ("rec_inter", sent(15, like=0.5), "bad_feedback", 4, 10),
    ("rec_inter", sent(15, search=1, search_item_related=None), "bad_feedback", 4, 10),
    ("rec_inter", sent(15, click=1, playing_time="long"), "bad_playing_time", 5, 11),
    ("rec_inter", sent(15, playing_time=-1.0), "bad_playing_time", 5, 10),
    ("src_inter", result(11, click_cnt=1), "repeated_row", 4, 11),
    ("rec_inter", sent(12, -3600, click=1, forward=1), "repeated_row", 4, 11),
    ("src_inter", result(11, after=30, click_cnt=1), "session_counted_twice", 5, 11),
    ("src_inter", result(11, keyword=[8]), "session_counted_twice", 5, 10),
    ("src_inter", result(11, search_source="OTHER"), "session_counted_twice", 5, 10),
    ("src_inter", result(11, 3, keyword=[], click_cnt=1), "search_without_keyword", 5, 11),
    ("src_inter", result(11, 3, keyword="shoes"), "search_without_keyword", 5, 10),
    ("social_network", {"user_id": 5, "user_follow_id": "x"}, "friend_without_id", 4, 10),
    ("social_network", {"user_id": 5, "user_follow_id": 6}, "friend_not_used", 4, 10),
    ("social_network", {"user_id": 6, "user_follow_id": 5}, "friend_not_used", 4, 10),
    ("item_features", item(11, [9]) | {"item_id": "x"}, "attributes_without_id", 4, 10),
    ("item_features", item(11, [9]), "attributes_repeated", 4, 10),
    ("user_features", user(7), "attributes_unseen", 4, 10),
]
"""A row more in one of the files, the reason it is counted under, and requests and events then written."""


@pytest.mark.parametrize(("file", "odd", "reason", "requests", "events"), ODD)
def test_what_cannot_be_used_is_counted(
    tmp_path: Path, file: str, odd: Row, reason: str, requests: int, events: int
) -> None:
    files = small()
    files["user_features"] = files["user_features"][:1]
    files["item_features"] = files["item_features"][:4]
    files[file].append(odd)
    report = import_logs("kuaisar", write_files(tmp_path / "src", files), tmp_path / "log")
    assert unusable(report) == {reason: 1}
    log = read_log(tmp_path / "log")
    assert (len(log["requests"]), len(log["events"])) == (requests, events)
    titles = {entry["item_id"]: entry["title"] for entry in log["items"]}
    assert titles[11] == "w20 w5"
    check_logs(tmp_path / "log").raise_if_broken()


def test_every_reason_is_tried(tmp_path: Path) -> None:
    report = import_logs("kuaisar", write_files(tmp_path / "src", small()), tmp_path / "log")
    assert {reason for _, _, reason, _, _ in ODD} | {"malformed_line"} == set(report.unusable)
    assert read_json(tmp_path / "log" / "import.json") == report.to_dict()


def test_a_session_id_of_two_searches_names_two_requests(tmp_path: Path) -> None:
    files = small()
    files["src_inter"] += [result(13, after=30), result(11, after=30), result(14, user_id=6)]
    import_logs("kuaisar", write_files(tmp_path / "src", files), tmp_path / "log")
    lists: dict[str, list[int]] = {}
    for row in read_log(tmp_path / "log")["candidates"]:
        lists.setdefault(row["request_id"], []).append(row["item_id"])
    assert lists[SEARCH] == [11, 12]
    assert lists[f"{SEARCH}:2"] == [13, 11]
    assert lists["search:6:1"] == [14]


def test_csv_and_parquet_give_the_same_tables(tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet"):
        src = write_files(tmp_path / f"src{suffix}", small(), suffix)
        report = import_logs("kuaisar", src, tmp_path / f"log{suffix}")
        assert unusable(report) == {"attributes_unseen": 2}
    assert read_log(tmp_path / "log.csv") == read_log(tmp_path / "log.parquet")


def test_only_places_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    turned = {stem: rows[::-1] for stem, rows in small().items()}
    for name, files in (("a", small()), ("b", turned)):
        import_logs("kuaisar", write_files(tmp_path / f"src-{name}", files), tmp_path / name)
    for table in sorted({*TABLES} - {"candidates"}):
        file = f"{table}.parquet"
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    places = [row["item_id"] for row in read_log(tmp_path / "b")["candidates"] if row["request_id"] == SEARCH]
    assert places == [12, 11]


def test_one_file_of_either_kind(tmp_path: Path) -> None:
    for number, (stem, suffix, domain) in enumerate(
        (("src_inter", ".csv", "search"), ("rec_inter", ".parquet", "rec"))
    ):
        src = write_file(tmp_path / f"any name{suffix}", small()[stem])
        report = import_logs("kuaisar", src, tmp_path / f"log{number}")
        log = read_log(tmp_path / f"log{number}")
        assert {row["domain"] for row in log["requests"]} == {domain}
        assert unusable(report) == {}
        assert list(log["users"][0]) == ["user_id"]
        assert list(log["items"][0]) == ["item_id", "title", "category"]
        check_logs(tmp_path / f"log{number}").raise_if_broken()


def test_files_may_be_fewer_and_columns_more(tmp_path: Path) -> None:
    files = {stem: small()[stem] for stem in ("src_inter", "rec_inter", "user_features")}
    files["src_inter"] = [
        {"": 0, "ITEM_ID": "x"} | row for row in files["src_inter"]
    ]  # an index, as pandas has
    files["user_features"] = [{"user_id": 5, "rec_active_level": 4}]  # as the description spells it
    import_logs("kuaisar", write_files(tmp_path / "src", files), tmp_path / "log")
    log = read_log(tmp_path / "log")
    assert log["users"] == [{"user_id": 5, "rec_active_level": 4}]
    assert [row["item_id"] for row in log["candidates"]] == [12, 14, 11, 12, 13, 11]


def test_lines_that_do_not_parse_are_counted(tmp_path: Path) -> None:
    src = write_files(tmp_path / "src", small())
    for stem in ("rec_inter", "item_features"):
        with (src / f"{stem}.csv").open("ab") as stream:
            stream.write(b"5,11\n")
    report = import_logs("kuaisar", src, tmp_path / "log")
    assert unusable(report) == {"attributes_unseen": 2, "malformed_line": 2}
    assert report.rows["candidates"] == 6


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    src = write_files(tmp_path / "src", small())
    (src / "rec_inter.csv").rename(src / "rec_inters.csv")
    with pytest.raises(CorankError, match=r"no rec_inter\.csv .* did you mean 'rec_inters\.csv'"):
        import_logs("kuaisar", src, tmp_path / "log")
    (src / "rec_inters.csv").rename(src / "rec_inter.csv")
    write_file(src / "src_inter.parquet", small()["src_inter"])
    with pytest.raises(CorankError, match="src_inter is there twice"):
        import_logs("kuaisar", src, tmp_path / "log")
    with pytest.raises(CorankError, match=r"expected the folder of KuaiSAR"):
        import_logs("kuaisar", Path(__file__), tmp_path / "log")
    odd = write_file(tmp_path / "odd.csv", [result(0, item_id="x")])
    with pytest.raises(CorankError, match=r"not one usable request in it \(no_item 1\)"):
        import_logs("kuaisar", odd, tmp_path / "log")
    for old, new, missing in (
        ("keyword", "keywords", "no column 'keyword'; did you mean 'keywords'"),
        ("click_cnt", "clicks", "no column 'click_cnt'"),
    ):
        text = (src / "src_inter.csv").read_text().replace(old, new)
        (tmp_path / "c.csv").write_text(text)
        with pytest.raises(CorankError, match=missing):
            import_logs("kuaisar", tmp_path / "c.csv", tmp_path / "log")
    (src / "src_inter.parquet").unlink()
    text = (src / "item_features.csv").read_text().replace("item_id", "video_id")
    (src / "item_features.csv").write_text(text)
    with pytest.raises(CorankError, match=r"item_features\.csv: no column 'item_id'"):
        import_logs("kuaisar", src, tmp_path / "log")
    assert not (tmp_path / "log").exists()


DEEDS = ("like", "follow", "forward", "search", "click")

RECIPE = (
    "item_text=[title,category]",
    "history_actions=[click,like,follow,forward,search,search_related]",
    "touch_actions=[click,like,follow,forward,search,search_related]",
)
"""The settings of the how-to."""


def market(requests: int = 400, seed: int = 0) -> Files:
    """Users who search and are sent videos: each video is of a topic, and captions and keywords say which."""
    draw = random.Random(seed)
    topics = {number: number % 8 for number in range(160)}
    items = [item(number, [100 + topic, 200 + topic, 300 + number % 20]) for number, topic in topics.items()]
    files: Files = {"src_inter": [], "rec_inter": [], "item_features": items}
    for number in range(requests):
        who, topic, after = draw.randrange(30), draw.randrange(8), 600.0 * number
        shown = draw.sample([other for other, its in topics.items() if its == topic], 6)
        liked = draw.choice(shown)
        for other in shown:
            click = int(other == liked and draw.random() < 0.7)
            if number % 2:
                deeds = {draw.choice(DEEDS): click, "search_item_related": number // 2 % 2, "click": click}
                row = sent(other, after, user_id=who, playing_time=1000.0 + 9000 * click)
                files["rec_inter"].append(row | deeds)
            else:
                files["src_inter"].append(
                    result(other, number, after, user_id=who, click_cnt=click, keyword=[100 + topic])
                )
    files["user_features"] = [user(number) for number in range(30)]
    files["social_network"] = [{"user_id": number, "user_follow_id": number + 1} for number in range(9)]
    return files


def test_clicks_on_what_was_sent_become_searches(tmp_path: Path) -> None:
    import_logs("kuaisar", write_files(tmp_path / "src", market()), tmp_path / "log")
    check_logs(tmp_path / "log").raise_if_broken()
    manifest = build_samples(tmp_path / "log", tmp_path / "samples", recipe="es3", settings=RECIPE)
    size = manifest.sizes["train"]
    assert size.label_sources["own"] > 50
    assert size.label_sources["searchified"] > 50
    rows = pq.read_table(tmp_path / "samples" / "train").to_pylist()
    pseudo = [row for row in rows if row["query_source"] in ("own", "cooccurring", "nearest")]
    assert len(pseudo) > 50
    assert {row["domain"] for row in pseudo} == {"rec"}
    assert {tuple(row["user_follows"]) for row in rows if row["user_id"] == 3} == {(4,)}
    for row in pseudo:  # the words of the videos are those of the queries: a query is of its video's topic
        assert row["query"] == f"w{100 + row['item_id'][0] % 8}"


def test_the_command_line_imports_it(tmp_path: Path) -> None:
    src = write_files(tmp_path / "src", small())
    made = document("logs", "import", "kuaisar", src, tmp_path / "log")
    assert made["rows"] == {"requests": 4, "candidates": 6, "events": 10, "items": 4, "users": 1}
    assert made["unusable"]["attributes_unseen"]["count"] == 2
