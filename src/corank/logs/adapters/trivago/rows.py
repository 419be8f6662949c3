"""trivago's rows, parsed, each with the reason it cannot be used if there is one."""

from __future__ import annotations

from collections.abc import Mapping

from corank.logs.adapters.parsing import Parsed
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

_ACTIONS = ", ".join(f"{quoted(published)}: {quoted(ours)}" for published, ours in ACTIONS.items())

PARSED: Mapping[str, Parsed] = {
    "actions": Parsed(
        "log",
        f"""user_id, session_id, whole("timestamp") AS second, whole(step) AS step, action_type,
            MAP {{{_ACTIONS}}}[action_type] AS action, reference, whole(reference) AS item_id,
            platform, city, device, current_filters,
            list_transform(string_split(impressions, '|'), lambda item: whole(item)) AS items,
            list_transform(string_split(prices, '|'), lambda price: finite(price)) AS prices,
            row_number() OVER (
              PARTITION BY user_id, session_id, "timestamp", step, action_type, reference
              ORDER BY impressions, prices, city, platform, device, current_filters) AS copy""",
        UNUSABLE,
        listed="items",
    ),
    "hotels": Parsed("metadata", "whole(item_id) AS item_id, properties"),
}
