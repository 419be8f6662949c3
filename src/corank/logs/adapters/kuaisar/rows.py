"""KuaiSAR's interactions, parsed, each row with the reason it cannot be used if there is one."""

from __future__ import annotations

from collections.abc import Mapping

from corank.logs.adapters.parsing import Parsed, Reasons

SEARCH = """
    whole(user_id) AS user_id, whole(search_session_id) AS session, moment(search_session_timestamp) AS ms,
    word_ids(keyword) AS query, known(search_source) AS search_source, whole(item_id) AS item_id,
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
    "bad_timestamp": ("ms IS NULL", "interaction whose time is not in milliseconds since 1995"),
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

PARSED: Mapping[str, Parsed] = {
    "searches": Parsed("src_inter", SEARCH, SEARCH_REASONS),
    "recommendations": Parsed("rec_inter", RECOMMENDATION, RECOMMENDATION_REASONS),
    "friends": Parsed("social_network", FRIEND, FRIEND_REASONS),
}
