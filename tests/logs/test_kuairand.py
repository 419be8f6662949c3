"""KuaiRand: the five tables from small files in its published form, and every row accounted for."""

from __future__ import annotations

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

MS = 1650485801301
"""The example of the data's description: 2022-04-21 in Beijing, just after four."""

EARLY, LATE, RANDOM, USERS, VIDEOS, CAPTIONS, CATEGORIES = (
    "log_standard_4_08_to_4_21_pure",
    "log_standard_4_22_to_5_08_pure",
    "log_random_4_22_to_5_08_pure",
    "user_features_pure",
    "video_features_basic_pure",
    "kuairand_video_captions",
    "kuairand_video_categories",
)

Files = dict[str, list[Row]]


def shown(video: int, after: float = 0, **other: Any) -> Row:
    """A row of the log, its columns in the order of the files, `after` seconds after the example."""
    row = {
        "user_id": 3,
        "video_id": video,
        "date": 20220421,
        "hourmin": 400,
        "time_ms": MS + int(1000 * after),
        "is_click": 0,
        "is_like": 0,
        "is_follow": 0,
        "is_comment": 0,
        "is_forward": 0,
        "is_hate": 0,
        "long_view": 0,
        "play_time_ms": 0,
        "duration_ms": 104400,
        "profile_stay_time": 0,
        "comment_stay_time": 0,
        "is_profile_enter": 0,
        "is_rand": 0,
        "tab": 1,
    }
    return row | other


def user(number: int) -> Row:
    row: Row = {
        "user_id": number,
        "user_active_degree": "full_active",
        "is_lowactive_period": 0,
        "is_live_streamer": 1,
        "is_video_author": 1,
        "follow_user_num": 5,
        "follow_user_num_range": "(0,10]",
        "fans_user_num": 312,
        "fans_user_num_range": "[100,1k)",
        "friend_user_num": 0,
        "friend_user_num_range": "0",
        "register_days": 3624,
        "register_days_range": "730+",
    }
    return row | {f"onehot_feat{n}": float(n) for n in range(18)}


def video(number: int, **other: Any) -> Row:
    row = {
        "video_id": number,
        "author_id": 441,
        "video_type": "NORMAL",
        "upload_dt": "2022-04-20",
        "upload_type": "ShortImport",
        "visible_status": 1.0,
        "video_duration": 17200.0,
        "server_width": 720.0,
        "server_height": 1280.0,
        "music_id": 9155697141,
        "music_type": 4.0,
        "tag": "12,65",
    }
    return row | other


def caption(number: int, text: str | None) -> Row:
    return {"final_video_id": number, "caption": text, "show_cover_text": "第一集", "duration": 17200.0}


def category(number: int, first: str, second: str) -> Row:
    row: Row = {"final_video_id": number}
    for level, name in (("first", first), ("second", second), ("third", "UNKNOWN"), ("fourth", "UNKNOWN")):
        row |= {
            f"{level}_level_category_id": 7.0 if name != "UNKNOWN" else -124.0,
            f"{level}_level_category_name": name,
            f"{level}_level_category_prob": 0.9996,
        }
    return row


def small() -> Files:
    """Standard exposures of one user at three times, one in two tabs, and a random exposure among them."""
    return {
        EARLY: [shown(70, is_click=1, long_view=1, play_time_ms=151024), shown(50)],
        LATE: [
            shown(60, 172_800, is_click=1, play_time_ms=9000, is_like=1, is_comment=1, is_profile_enter=1),
            shown(70, 172_800, is_hate=1),
            shown(70, 172_800, tab=0, is_click=1, is_follow=1, is_forward=1),
        ],
        RANDOM: [shown(50, 172_800, is_rand=1, is_click=1, play_time_ms=20)],
        USERS: [user(3)],
        VIDEOS: [video(50), video(60, tag=None, music_type=None), video(70, upload_dt=None)],
        CAPTIONS: [caption(70, "#王者荣耀 刺客法"), caption(50, None)],
        CATEGORIES: [category(70, "运动", "球类运动"), category(60, "UNKNOWN", "UNKNOWN")],
    }


def at(seconds: float) -> datetime:
    return datetime(2022, 4, 20, 20, 16, 41, 301000, tzinfo=UTC) + timedelta(seconds=seconds)


FIRST, OTHER, SECOND = f"3:{MS}:1", f"3:{MS + 172_800_000}:0", f"3:{MS + 172_800_000}:1"


def test_the_tables_of_a_small_folder(tmp_path: Path) -> None:
    report = import_logs("kuairand", write_files(tmp_path / "src", small()), tmp_path / "log")
    log = read_log(tmp_path / "log")
    assert log["requests"] == [
        {"request_id": name, "user_id": 3, "domain": "rec", "timestamp": at(after), "query": None, "tab": tab}
        for name, after, tab in ((FIRST, 0, "1"), (OTHER, 172_800, "0"), (SECOND, 172_800, "1"))
    ]
    assert log["candidates"] == [
        {"request_id": name, "item_id": number, "exposed": True, "position": place, "is_rand": is_rand}
        for name, number, place, is_rand in (
            (FIRST, 70, 1, False),
            (FIRST, 50, 2, False),
            (OTHER, 70, 1, False),
            (SECOND, 60, 1, False),
            (SECOND, 70, 2, False),
            (SECOND, 50, 3, True),
        )
    ]
    assert log["events"] == [
        {
            "user_id": 3,
            "item_id": number,
            "timestamp": at(0 if name == FIRST else 172_800),
            "action": action,
            "domain": "rec",
            "request_id": name,
            "value": None,
            "play_ms": played,
        }
        for name, number, action, played in (
            (FIRST, 70, "click", None),
            (FIRST, 70, "long_view", None),
            (FIRST, 70, "play", 151024.0),
            (OTHER, 70, "click", None),
            (OTHER, 70, "follow", None),
            (OTHER, 70, "forward", None),
            (SECOND, 50, "click", None),
            (SECOND, 50, "play", 20.0),
            (SECOND, 60, "click", None),
            (SECOND, 60, "comment", None),
            (SECOND, 60, "like", None),
            (SECOND, 60, "play", 9000.0),
            (SECOND, 60, "profile_enter", None),
            (SECOND, 70, "hate", None),
        )
    ]
    (person,) = log["users"]
    assert person == user(3) | {f"onehot_feat{n}": str(n) for n in range(18)}
    same = {
        "author_id": 441,
        "video_type": "NORMAL",
        "upload_type": "ShortImport",
        "video_ms": 17200.0,
        "server_width": 720,
        "server_height": 1280,
        "music_id": 9155697141,
        "third_category": None,
        "fourth_category": None,
    }
    assert log["items"] == [
        same
        | {
            "item_id": number,
            "title": title,
            "cover_text": "第一集" if number != 60 else None,
            "category": first,
            "second_category": second,
            "upload_day": day,
            "music_type": music,
            "tags": tags,
        }
        for number, title, first, second, day, music, tags in (
            (50, None, None, None, 19102, "4", ["12", "65"]),
            (60, None, None, None, 19102, None, None),
            (70, "#王者荣耀 刺客法", "运动", "球类运动", None, "4", ["12", "65"]),
        )
    ]
    assert unusable(report) == {}
    assert report.read == {f"{stem}.csv": len(rows) for stem, rows in small().items()}
    assert check_logs(tmp_path / "log").findings == ()


def test_no_outcome_is_in_what_was_known_before(tmp_path: Path) -> None:
    import_logs("kuairand", write_files(tmp_path / "src", small()), tmp_path / "log")
    log = open_logs(tmp_path / "log")
    assert log.schema("requests").names == ["request_id", "user_id", "domain", "timestamp", "query", "tab"]
    assert log.schema("candidates").names == ["request_id", "item_id", "exposed", "position", "is_rand"]


ODD: list[tuple[str, Row, str, int, int]] = [
    (EARLY, shown(80, user_id=None), "no_user", 3, 14),
    (LATE, shown(80, video_id="x"), "no_item", 3, 14),
    (RANDOM, shown(80, time_ms=MS // 1000, is_rand=1), "bad_timestamp", 3, 14),
    (EARLY, shown(80, tab=None), "no_tab", 3, 14),
    (RANDOM, shown(80, is_rand=2), "no_policy", 3, 14),
    (EARLY, shown(80, is_click=None), "bad_feedback", 3, 14),
    (EARLY, shown(80, long_view=-1), "bad_feedback", 3, 14),
    (EARLY, shown(80, is_click=1, play_time_ms="long"), "bad_play_time", 3, 15),
    (LATE, shown(50, is_click=1), "repeated_row", 3, 15),
    (USERS, user(3) | {"user_id": None}, "attributes_without_id", 3, 14),
    (VIDEOS, video(50, author_id=1), "attributes_repeated", 3, 14),
    (CAPTIONS, caption(51, "elsewhere"), "attributes_unseen", 3, 14),
]
"""A row more in one of the files, the reason it is counted under, and requests and events then written."""


@pytest.mark.parametrize(("file", "odd", "reason", "requests", "events"), ODD)
def test_what_cannot_be_used_is_counted(
    tmp_path: Path, file: str, odd: Row, reason: str, requests: int, events: int
) -> None:
    files = small()
    files[file].append(odd)
    report = import_logs("kuairand", write_files(tmp_path / "src", files), tmp_path / "log")
    assert unusable(report) == {reason: 1}
    log = read_log(tmp_path / "log")
    assert (len(log["requests"]), len(log["events"])) == (requests, events)
    assert log["items"][0]["author_id"] == 441
    check_logs(tmp_path / "log").raise_if_broken()


def test_every_reason_is_tried(tmp_path: Path) -> None:
    report = import_logs("kuairand", write_files(tmp_path / "src", small()), tmp_path / "log")
    assert {reason for _, _, reason, _, _ in ODD} | {"malformed_line"} == set(report.unusable)
    assert read_json(tmp_path / "log" / "import.json") == report.to_dict()


def test_csv_and_parquet_give_the_same_tables(tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet"):
        src = write_files(tmp_path / f"src{suffix}", small(), suffix)
        assert unusable(import_logs("kuairand", src, tmp_path / f"log{suffix}")) == {}
    assert read_log(tmp_path / "log.csv") == read_log(tmp_path / "log.parquet")


def test_only_places_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    turned = {stem: rows[::-1] for stem, rows in small().items()}
    for name, files in (("a", small()), ("b", turned)):
        import_logs("kuairand", write_files(tmp_path / f"src-{name}", files), tmp_path / name)
    for table in sorted({*TABLES} - {"candidates"}):
        file = f"{table}.parquet"
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    rows = [row for row in read_log(tmp_path / "b")["candidates"] if row["request_id"] == SECOND]
    assert [row["item_id"] for row in rows] == [70, 60, 50]  # the random log is read after the standard one


def test_folders_as_unpacked(tmp_path: Path) -> None:
    """`data` in the archive's folder, the parts of 27K, files that are not used beside the others."""
    import_logs("kuairand", write_files(tmp_path / "flat", small()), tmp_path / "flat-log")
    parts = {
        stem.replace("pure", "27k") + ("_part1" if stem == EARLY else ""): rows
        for stem, rows in small().items()
    }
    parts["log_standard_4_08_to_4_21_27k_part2"] = [parts[f"{EARLY.replace('pure', '27k')}_part1"].pop()]
    parts["video_features_statistic_27k_part1"] = [{"video_id": 50, "show_cnt": 75.212}]
    report = import_logs("kuairand", write_files(tmp_path / "27K" / "data", parts).parent, tmp_path / "log")
    assert read_log(tmp_path / "log") == read_log(tmp_path / "flat-log")
    assert "video_features_statistic_27k_part1.csv" not in report.read


def test_one_file_of_the_log(tmp_path: Path) -> None:
    src = write_file(tmp_path / "random.parquet", small()[RANDOM])
    import_logs("kuairand", src, tmp_path / "log")
    log = read_log(tmp_path / "log")
    assert [(row["item_id"], row["is_rand"]) for row in log["candidates"]] == [(50, True)]
    assert log["users"] == [{"user_id": 3}]
    assert log["items"] == [{"item_id": 50, "title": None, "category": None}]


def test_lines_that_do_not_parse_are_counted(tmp_path: Path) -> None:
    src = write_files(tmp_path / "src", small())
    for stem in (EARLY, RANDOM, VIDEOS):
        with (src / f"{stem}.csv").open("ab") as stream:
            stream.write(b"3,11\n")
    report = import_logs("kuairand", src, tmp_path / "log")
    assert unusable(report) == {"malformed_line": 3}
    assert report.rows["candidates"] == 6


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    src = write_files(tmp_path / "src", small())
    write_file(src / "user_features_1k.csv", [user(3)])
    with pytest.raises(CorankError, match=r"several versions \(1k, pure\) in it"):
        import_logs("kuairand", src, tmp_path / "log")
    (src / "user_features_1k.csv").rename(src / "user_features_fillna.csv")
    with pytest.raises(CorankError, match=r"user_features_fillna\.csv and user_features_pure\.csv in it"):
        import_logs("kuairand", src, tmp_path / "log")
    (src / "user_features_fillna.csv").unlink()
    write_file(src / f"{LATE}.parquet", small()[LATE])
    with pytest.raises(CorankError, match=rf"{LATE}\.csv and {LATE}\.parquet in it; keep one"):
        import_logs("kuairand", src, tmp_path / "log")
    with pytest.raises(CorankError, match="expected the folder of KuaiRand, or one file of its log"):
        import_logs("kuairand", Path(__file__), tmp_path / "log")
    write_file(tmp_path / "other" / "log_standrad_4_22_to_5_08_pure.csv", small()[LATE])
    with pytest.raises(CorankError, match=r"no log_standard_\*\.csv .* did you mean 'log_standrad_4_22"):
        import_logs("kuairand", tmp_path / "other", tmp_path / "log")
    text = (src / f"{EARLY}.csv").read_text().replace("time_ms", "timems")
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(CorankError, match=r"log\.csv: no column 'time_ms'; did you mean 'timems'"):
        import_logs("kuairand", tmp_path / "log.csv", tmp_path / "log")
    odd = write_file(tmp_path / "odd.csv", [shown(0, user_id=None)])
    with pytest.raises(CorankError, match=r"not one usable request in it \(no_user 1\)"):
        import_logs("kuairand", odd, tmp_path / "log")
    assert not (tmp_path / "log").exists()


RECIPE = (
    "domains=[rec]",
    "purchase_actions=[long_view]",
    "history_actions=[click,like,follow,comment,forward,hate,long_view]",
    "touch_actions=[click,like,follow,comment,forward,hate,long_view]",
)
"""The settings of the how-to."""


def test_the_command_line_makes_samples_of_it(tmp_path: Path) -> None:
    flags = ("is_like", "is_follow", "is_comment", "is_forward", "is_hate", "long_view")
    rows = [
        shown(10 * n + other, 600 * n, user_id=n % 7, is_rand=int(other == 2), play_time_ms=900)
        | {flag: int(other == n % 3) for flag in ("is_click", flags[n % 6])}
        for n in range(60)
        for other in range(3)
    ]
    src = write_file(tmp_path / "src" / f"{EARLY}.csv", rows).parent
    made = document("logs", "import", "kuairand", src, tmp_path / "log")
    assert made["rows"] == {"requests": 60, "candidates": 180, "events": 300, "items": 180, "users": 7}
    check_logs(tmp_path / "log").raise_if_broken()
    build_samples(tmp_path / "log", tmp_path / "samples", recipe="exposed", settings=RECIPE)
    (request, *_) = pq.read_table(tmp_path / "samples" / "test").to_pylist()
    assert request["is_rand"] == [item % 10 == 2 for item in request["item_id"]]
    assert sum(request["label_click"]) == 1
    rows = pq.read_table(tmp_path / "samples" / "train").to_pylist()
    assert sum(sum(row["label_purchase"]) for row in rows) == len(rows) // 6
    assert request["tab"] == "1"
