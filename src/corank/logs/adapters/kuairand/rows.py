"""KuaiRand's log, parsed, each row with the reason it cannot be used if there is one."""

from __future__ import annotations

from corank.logs.adapters.kuairand.source import FLAGS
from corank.logs.adapters.parsing import Parsed, Reasons
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
    "bad_timestamp": ("ms IS NULL", "row whose time_ms is not in milliseconds since 1995"),
    "no_tab": ("tab IS NULL", "row whose tab is not a whole number"),
    "no_policy": ("is_rand IS NULL", "row whose is_rand is neither 0 nor 1"),
    "bad_feedback": (
        " OR ".join(f"{name(action)} IS NULL" for action in FLAGS.values()),
        "row whose feedback is not a whole number",
    ),
}

PARSED = {"impressions": Parsed("log", ROW, REASONS)}
