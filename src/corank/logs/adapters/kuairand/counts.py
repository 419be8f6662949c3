"""What is told of KuaiRand's log beside the rows that could not be parsed."""

from __future__ import annotations

_USABLE = "SELECT count(*) FROM impressions WHERE reason IS NULL"

UNUSABLE = {
    "repeated_row": (
        f"SELECT ({_USABLE}) - (SELECT count(*) FROM shown)",
        "row with the user, time, tab and video of an earlier one: one with the first",
    ),
    "bad_play_time": (
        f"{_USABLE} AND bad_play_time",
        "row whose play_time_ms is not a number from 0: no event of playing",
    ),
}
