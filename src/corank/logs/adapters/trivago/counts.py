"""What is told of trivago's files beside the rows that could not be parsed."""

from __future__ import annotations

from corank.logs.adapters.trivago.rows import ACTIONS

_ROWS = "SELECT count(*) FROM actions"

READ = (
    {"rows": _ROWS}
    | {
        published: f"{_ROWS} WHERE action = '{ours}' HAVING count(*) > 0"
        for published, ours in ACTIONS.items()
    }
    | {"other": f"{_ROWS} WHERE action IS NULL HAVING count(*) > 0"}
)
"""In all, and by action as published where there are any (`other` for unknown ones)."""

UNUSABLE = {
    "clicked_item_not_in_list": (
        "SELECT count(*) FROM lists"
        " WHERE item_id IS NULL OR NOT list_contains(list_select(items, ranks), item_id)",
        "clickout on a hotel that its list lacks: no label",
    ),
    "impression_not_a_number": (
        "SELECT sum(len(items) - list_count(items)) FROM lists",
        "impression that is not a hotel's number",
    ),
    "repeated_impression": (
        "SELECT sum(list_count(items) - len(ranks)) FROM lists",
        "impression of a hotel earlier in the same list",
    ),
    "price_not_a_number": (
        "SELECT sum(len(ranks) - list_count(list_select(prices, ranks))) FROM lists",
        "impression whose price is not a number: null",
    ),
    "step_counted_twice": (
        "SELECT count(*) FROM lists WHERE nth > 1",
        "list whose session has an earlier one of the same step: renamed",
    ),
}
