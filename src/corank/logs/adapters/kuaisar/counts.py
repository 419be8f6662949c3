"""What is told of KuaiSAR's files beside the rows that could not be parsed."""

from __future__ import annotations

_SEARCHES = "SELECT count(*) FROM searches WHERE reason IS NULL"
_RECOMMENDATIONS = "SELECT count(*) FROM recommendations WHERE reason IS NULL"
_FRIENDS = "SELECT count(*) FROM friends WHERE reason IS NULL"

UNUSABLE = {
    "repeated_row": (
        f"SELECT ({_SEARCHES}) + ({_RECOMMENDATIONS}) - (SELECT count(*) FROM shown)",
        "interaction with an item that its request has already: one with the first",
    ),
    "session_counted_twice": (
        "SELECT count(DISTINCT request_id) FROM sessions WHERE nth > 1",
        "search whose session id an earlier one has, with another time, keyword or source: renamed",
    ),
    "search_without_keyword": (
        "SELECT count(DISTINCT request_id) FROM sessions WHERE query IS NULL",
        "search whose keyword is not a list of word ids: no query",
    ),
    "bad_playing_time": (
        f"{_RECOMMENDATIONS} AND bad_playing_time",
        "interaction whose playing time is not a number from 0: no event of playing",
    ),
    "friend_not_used": (
        f"SELECT ({_FRIENDS}) - (SELECT coalesce(sum(len(follows)), 0) FROM follows)",
        "row of social_network there before, or of a user without any impression",
    ),
}
