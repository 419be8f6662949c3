"""KuaiSAR's interactions, parsed, each row with the reason it cannot be used if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from corank.logs.adapters.adapter import Counted
from corank.logs.adapters.kuaisar import source
from corank.logs.adapters.loading import load
from corank.logs.adapters.reasons import Reasons, count, count_reasons

SEARCH = """
    whole(user_id) AS user_id, whole(search_session_id) AS session, moment(search_session_timestamp) AS ms,
    tokens(keyword) AS query, known(search_source) AS search_source, whole(item_id) AS item_id,
    known(item_type) AS result_type, whole(click_cnt) AS click"""

RECOMMENDATION = """
    whole(user_id) AS user_id, moment("timestamp") AS ms, whole(item_id) AS item_id,
    whole(click) AS click, whole("like") AS "like", whole(follow) AS follow, whole(forward) AS forward,
    whole("search") AS "search", whole(search_item_related) AS related,
    number(playing_time) AS play_ms,
    playing_time IS NOT NULL AND number(playing_time) IS NULL AS bad_playing_time"""

_COMMON = {
    "no_user": ("user_id IS NULL", "interaction whose user_id is not a whole number"),
    "no_item": ("item_id IS NULL", "interaction whose item_id is not a whole number"),
    "bad_timestamp": ("ms IS NULL", "interaction whose time is not in milliseconds after the year 2000"),
}

SEARCH_REASONS: Reasons = _COMMON | {
    "no_session": ("session IS NULL", "search result whose search_session_id is not a whole number"),
    "bad_feedback": ("click IS NULL", "interaction whose feedback is not a whole number"),
}

RECOMMENDATION_REASONS: Reasons = _COMMON | {
    "bad_feedback": (
        'click IS NULL OR "like" IS NULL OR follow IS NULL OR forward IS NULL OR "search" IS NULL'
        ' OR ("search" > 0 AND related IS NULL)',
        SEARCH_REASONS["bad_feedback"][1],
    ),
}

FRIEND = "whole(user_id) AS user_id, whole(user_follow_id) AS friend"

FRIEND_REASONS: Reasons = {
    "friend_without_id": ("user_id IS NULL OR friend IS NULL", "row of social_network that lacks a user"),
}


def read(connection: duckdb.DuckDBPyConnection, files: Mapping[str, Path]) -> dict[str, int]:
    """Make the tables `searches`, `recommendations` and `friends`; rows read by file."""
    counts = dict[str, int]()
    for table, stem, columns, parsed, reasons in (
        ("searches", "src_inter", source.SEARCHES, SEARCH, SEARCH_REASONS),
        ("recommendations", "rec_inter", source.RECOMMENDATIONS, RECOMMENDATION, RECOMMENDATION_REASONS),
        ("friends", "social_network", source.FRIENDS, FRIEND, FRIEND_REASONS),
    ):
        there = [files[stem]] if stem in files else []
        counts |= load(connection, table, there, columns, parsed, reasons)
    return counts


def count_unusable(connection: duckdb.DuckDBPyConnection) -> dict[str, Counted]:
    """How many of these rows were not used, or not as they stood, by reason."""
    tables = {"searches": SEARCH_REASONS, "recommendations": RECOMMENDATION_REASONS}
    counts = {reason: Counted(0, meaning) for reason, (_, meaning) in SEARCH_REASONS.items()}
    for table, reasons in tables.items():
        for reason, more in count_reasons(connection, table, reasons).items():
            counts[reason] = Counted(counts[reason].count + more.count, more.meaning)
    usable = "reason IS NULL"
    read = sum(count(connection, f"SELECT count(*) FROM {table} WHERE {usable}") for table in tables)
    used = {
        "repeated_row": (
            read - count(connection, "SELECT count(*) FROM shown"),
            "interaction with an item that its request has already: one with the first",
        ),
        "session_counted_twice": (
            count(connection, "SELECT count(DISTINCT request_id) FROM sessions WHERE nth > 1"),
            "search whose session id an earlier one has, with another time, keyword or source: renamed",
        ),
        "search_without_keyword": (
            count(connection, "SELECT count(DISTINCT request_id) FROM sessions WHERE query IS NULL"),
            "search whose keyword is not a list of word ids: no query",
        ),
        "bad_playing_time": (
            count(connection, f"SELECT count(*) FROM recommendations WHERE {usable} AND bad_playing_time"),
            "interaction whose playing time is not a number from 0: no event of playing",
        ),
    }
    counts |= {reason: Counted(*found) for reason, found in used.items()}
    counts |= count_reasons(connection, "friends", FRIEND_REASONS)
    pairs = count(connection, f"SELECT count(*) FROM friends WHERE {usable}")
    followed = count(connection, "SELECT coalesce(sum(len(follows)), 0) FROM follows")
    meaning = "row of social_network there before, or of a user without any impression"
    return counts | {"friend_not_used": Counted(pairs - followed, meaning)}
