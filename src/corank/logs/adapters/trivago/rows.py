"""trivago's rows, parsed, each with the reason it cannot be used if there is one; and the counts of both."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from corank.logs.adapters import reading, reasons
from corank.logs.adapters.adapter import Counted
from corank.logs.adapters.trivago import source
from corank.logs.engine import quoted

TOUCHES = {
    "interaction item image": "interaction_image",
    "interaction item info": "interaction_info",
    "interaction item rating": "interaction_rating",
    "interaction item deals": "interaction_deals",
    "search for item": "search_item",
}
"""Actions on a hotel other than the clickout, by their names in events."""

WITHOUT_HOTEL = {
    "search for destination": "search_destination",
    "search for poi": "search_poi",
    "change of sort order": "sort_order",
    "filter selection": "filter",
}
"""Actions without a hotel: they are context of the requests after them."""

ACTIONS = {"clickout item": "click"} | TOUCHES | WITHOUT_HOTEL

TOUCHED = "action IN (" + ", ".join(quoted(action) for action in TOUCHES.values()) + ")"

UNUSABLE = {
    "no_user_or_session": ("user_id IS NULL OR session_id IS NULL", "row without a user or a session"),
    "bad_timestamp": (
        "second IS NULL OR second > 9_999_999_999",
        "row whose timestamp is not a number of seconds",
    ),
    "bad_step": ("step IS NULL OR step >= 1_000_000", "row whose step is not a number below a million"),
    "unknown_action": ("action IS NULL", "row with an unknown action_type"),
    "repeated_row": ("copy > 1", "row with the user, session, time, step, action and reference of another"),
    "hidden_target": (
        "action = 'click' AND reference IS NULL",
        "clickout whose reference is withheld (a test target)",
    ),
    "reference_not_a_number": (
        f"{TOUCHED} AND item_id IS NULL",
        "action on a hotel whose reference is not a hotel's number",
    ),
    "clickout_without_list": ("action = 'click' AND items IS NULL", "clickout without impressions"),
    "list_and_prices_differ": (
        "action = 'click' AND len(items) IS DISTINCT FROM len(prices)",
        "clickout with more impressions than prices or fewer",
    ),
    "list_without_hotels": (
        "action = 'click' AND len(ranks) = 0",
        "clickout none of whose impressions is a hotel's number",
    ),
}
"""Why a row is not used (the first reason that holds): its condition and its meaning."""

PARSED = """
    SELECT user_id, session_id, whole("timestamp") AS second, whole(step) AS step, action_type,
      MAP {{{actions}}}[action_type] AS action, reference, whole(reference) AS item_id,
      platform, city, device, current_filters,
      list_transform(string_split(impressions, '|'), lambda item: whole(item)) AS items,
      list_transform(string_split(prices, '|'), lambda price: money(price)) AS prices,
      row_number() OVER (
        PARTITION BY user_id, session_id, "timestamp", step, action_type, reference
        ORDER BY impressions, prices, city, platform, device, current_filters) AS copy
    FROM ({rows})"""

RANKED = """
    SELECT *, firsts(items) AS ranks
    FROM ({parsed})"""
"""`ranks`: the places in the list that hold a hotel's number for the first time."""


def read(connection: duckdb.DuckDBPyConnection, found: source.Source) -> None:
    """Make the table `actions`: every row of the source with `instant` (microseconds) and `reason` or null.

    Steps order the rows of one second, so they become its microseconds.
    """
    rows = " UNION ALL ".join(reading.query(file, source.COLUMNS) for file in found.logs)
    actions = ", ".join(f"{quoted(published)}: {quoted(ours)}" for published, ours in ACTIONS.items())
    ranked = RANKED.format(parsed=PARSED.format(actions=actions, rows=rows))
    connection.execute(reading.MACROS)
    connection.execute(f"""
        CREATE TABLE actions AS
        SELECT * EXCLUDE (copy), {reasons.reason(UNUSABLE)} AS reason,
          CASE WHEN second <= 9_999_999_999 AND step < 1_000_000 THEN second * 1_000_000 + step END AS instant
        FROM ({ranked})""")


def count_read(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows read, in all and by action as published (`other` for unknown ones)."""
    counts = connection.execute(
        "SELECT CASE WHEN action IS NULL THEN 'other' ELSE action_type END, count(*) FROM actions GROUP BY 1"
    ).fetchall()
    by_action = {action: int(count) for action, count in counts}
    known = {action: by_action[action] for action in (*ACTIONS, "other") if action in by_action}
    return {"rows": sum(by_action.values())} | known


def count_unusable(connection: duckdb.DuckDBPyConnection, found: source.Source) -> Mapping[str, Counted]:
    """How many rows, clicks and impressions were not used, or not as they stood, by reason."""
    counts = reasons.count_reasons(connection, "actions", UNUSABLE)
    lists = connection.execute("""
        SELECT count(*) FILTER (item_id IS NULL OR NOT list_contains(list_select(items, ranks), item_id)),
          sum(len(items) - list_count(items)), sum(list_count(items) - len(ranks)),
          sum(len(ranks) - list_count(list_select(prices, ranks))), count(*) FILTER (nth > 1)
        FROM lists""").fetchone()
    outside, numbers, repeats, prices, renamed = (count or 0 for count in lists or (0,) * 5)
    lines = sum(reading.count_rejected(connection, file) for file in found.logs)
    metadata = reading.count_rejected(connection, found.metadata) if found.metadata else 0
    return counts | {
        "malformed_line": Counted(lines, "line of the log's CSV that does not parse"),
        "malformed_metadata_line": Counted(metadata, "line of item_metadata.csv that does not parse"),
        "clicked_item_not_in_list": Counted(outside, "clickout on a hotel that its list lacks: no label"),
        "impression_not_a_number": Counted(numbers, "impression that is not a hotel's number"),
        "repeated_impression": Counted(repeats, "impression of a hotel earlier in the same list"),
        "price_not_a_number": Counted(prices, "impression whose price is not a number: null"),
        "step_counted_twice": Counted(
            renamed, "list whose session has an earlier one of the same step: renamed"
        ),
    }
