"""What is told of Diginetica's files beside the rows that could not be parsed."""

from __future__ import annotations

READ = {
    "queries with tokens": "SELECT count(*) FROM queries WHERE query IS NOT NULL",
    "queries without tokens": "SELECT count(*) FROM queries WHERE query IS NULL",
}

_CLICKS = {
    "click_without_query": "click whose query is not there or not used",
    "clicked_item_not_in_list": "click on an item that its query's list lacks: an event without a request",
    "click_before_query": "click earlier than its query: an event without a request",
}

UNUSABLE = {
    reason: (f"SELECT count(*) FROM clicked WHERE reason = '{reason}'", meaning)
    for reason, meaning in _CLICKS.items()
} | {
    "repeated_event": (
        "SELECT sum(copies - 1) FROM touches",
        "event with the session, item, time, action and request of another",
    ),
    "listed_item_not_a_number": (
        "SELECT sum(len(items) - list_count(items)) FROM lists",
        "listed item that is not a number",
    ),
    "repeated_listed_item": (
        "SELECT sum(list_count(items) - len(ranks)) FROM lists",
        "listed item earlier in the same list",
    ),
    "price_zero_or_none": (
        "SELECT count(*) FROM products WHERE reason IS NULL AND coalesce(price_log2, 0) = 0",
        "product whose pricelog2 is 0 or not a number: its price is null",
    ),
    "later_day": (
        "SELECT (SELECT count(*) FROM lists WHERE later) + (SELECT count(*) FROM deeds WHERE later)",
        "row of a later day than its session's first: its time counts from the first",
    ),
}
