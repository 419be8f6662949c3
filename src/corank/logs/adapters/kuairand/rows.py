"""KuaiRand's log, parsed, each row with the reason it cannot be used if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from corank.logs.adapters.adapter import Counted
from corank.logs.adapters.kuairand.source import FLAGS, LOG
from corank.logs.adapters.loading import load
from corank.logs.adapters.reasons import Reasons, count, count_reasons
from corank.logs.engine import name

ROW = f"""
    whole(user_id) AS user_id, whole(video_id) AS item_id, moment(time_ms) AS ms, whole(tab) AS tab,
    CASE whole(is_rand) WHEN 0 THEN false WHEN 1 THEN true END AS is_rand,
    {", ".join(f"whole({flag}) > 0 AS {name(action)}" for flag, action in FLAGS.items())},
    number(play_time_ms) AS play_ms,
    play_time_ms IS NOT NULL AND number(play_time_ms) IS NULL AS bad_play_time"""

REASONS: Reasons = {
    "no_user": ("user_id IS NULL", "row whose user_id is not a whole number"),
    "no_item": ("item_id IS NULL", "row whose video_id is not a whole number"),
    "bad_timestamp": ("ms IS NULL", "row whose time_ms is not in milliseconds after the year 2000"),
    "no_tab": ("tab IS NULL", "row whose tab is not a whole number"),
    "no_policy": ("is_rand IS NULL", "row whose is_rand is neither 0 nor 1"),
    "bad_feedback": (
        " OR ".join(f"{name(action)} IS NULL" for action in FLAGS.values()),
        "row whose feedback is not a whole number",
    ),
}


def read(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> dict[str, int]:
    """Make the table `impressions` of the log; rows read by file."""
    return load(connection, "impressions", files, LOG, ROW, REASONS)


def count_unusable(connection: duckdb.DuckDBPyConnection) -> dict[str, Counted]:
    """How many of these rows were not used, or not as they stood, by reason."""
    usable = count(connection, "SELECT count(*) FROM impressions WHERE reason IS NULL")
    unplayed = "SELECT count(*) FROM impressions WHERE reason IS NULL AND bad_play_time"
    return count_reasons(connection, "impressions", REASONS) | {
        "repeated_row": Counted(
            usable - count(connection, "SELECT count(*) FROM shown"),
            "row with the user, time, tab and video of an earlier one: one with the first",
        ),
        "bad_play_time": Counted(
            count(connection, unplayed), "row whose play_time_ms is not a number from 0: no event of playing"
        ),
    }
