"""What must hold in a log, and in which order its broken rows are dropped."""

from __future__ import annotations

from corank.logs.column_rules import embedding_lengths, empty_columns
from corank.logs.rule import ROW, Rule, impossible_time, null, repeated, repeated_id, rows, unknown
from corank.logs.tables import LogTables

_CLICKED = "action IN ('click', 'purchase')"
_SAME_EVENT = "user_id, item_id, timestamp, action"  # request_id may be null, which no join calls the same

RULES = (
    null("items", "item_id"),
    repeated_id("items", "item_id"),
    null("users", "user_id"),
    repeated_id("users", "user_id"),
    null("requests", "request_id"),
    repeated_id("requests", "request_id"),
    null("requests", "user_id"),
    unknown("requests", "user_id", "users"),
    null("requests", "domain"),
    null("requests", "timestamp"),
    impossible_time("requests"),
    null("candidates", "request_id"),
    unknown("candidates", "request_id", "requests"),
    null("candidates", "item_id"),
    unknown("candidates", "item_id", "items"),
    Rule(
        "candidates-repeated-item",
        "candidates",
        "item_id",
        "error",
        "the item is in the request's list already",
        repeated("candidates", "request_id, item_id"),
    ),
    null("candidates", "exposed"),
    Rule(
        "candidates-exposed-without-position",
        "candidates",
        "position",
        "error",
        "an exposed item has no position",
        rows("candidates", "WHERE t.exposed AND t.position IS NULL"),
    ),
    Rule(
        "candidates-unexposed-with-position",
        "candidates",
        "position",
        "error",
        "an unexposed item has a position",
        rows("candidates", "WHERE NOT t.exposed AND t.position IS NOT NULL"),
    ),
    Rule(
        "candidates-position-below-one",
        "candidates",
        "position",
        "error",
        "positions count from 1",
        rows("candidates", "WHERE t.position < 1"),
    ),
    Rule(
        "candidates-position-taken",
        "candidates",
        "position",
        "error",
        "another exposed item of the request has the same position",
        repeated("candidates", "request_id, position", "exposed"),
    ),
    Rule(
        "requests-without-candidates",
        "requests",
        "request_id",
        "error",
        "the request has no candidates",
        rows("requests", "ANTI JOIN candidates USING (request_id) WHERE t.request_id IS NOT NULL"),
    ),
    Rule(
        "requests-without-exposure",
        "requests",
        "request_id",
        "warning",
        "none of the request's candidates is exposed",
        rows(
            "requests",
            "SEMI JOIN candidates USING (request_id)"
            " ANTI JOIN (SELECT request_id FROM candidates WHERE exposed) USING (request_id)",
        ),
    ),
    Rule(
        "requests-query-outside-search",
        "requests",
        "query",
        "warning",
        "a query stands outside the domain search",
        rows("requests", "WHERE t.domain <> 'search' AND t.query IS NOT NULL"),
        droppable=False,
    ),
    Rule(
        "requests-search-without-query",
        "requests",
        "query",
        "warning",
        "a request of the domain search has no query",
        rows("requests", "WHERE t.domain = 'search' AND coalesce(trim(t.query), '') = ''"),
        droppable=False,
    ),
    null("events", "user_id"),
    unknown("events", "user_id", "users"),
    null("events", "item_id"),
    unknown("events", "item_id", "items"),
    null("events", "timestamp"),
    impossible_time("events"),
    null("events", "action"),
    null("events", "domain"),
    unknown("events", "request_id", "requests"),
    Rule(
        "events-other-user",
        "events",
        "user_id",
        "error",
        "the event's user is not its request's",
        rows("events", "SEMI JOIN requests r ON t.request_id = r.request_id AND t.user_id <> r.user_id"),
    ),
    Rule(
        "events-before-request",
        "events",
        "timestamp",
        "error",
        "the event is earlier than its request",
        rows("events", "SEMI JOIN requests r ON t.request_id = r.request_id AND t.timestamp < r.timestamp"),
    ),
    Rule(
        "events-item-outside-list",
        "events",
        "item_id",
        "error",
        "the event's item is not among its request's candidates",
        rows(
            "events",
            "SEMI JOIN requests USING (request_id) ANTI JOIN candidates USING (request_id, item_id)"
            " WHERE t.item_id IS NOT NULL",
        ),
    ),
    Rule(
        "events-item-unexposed",
        "events",
        "item_id",
        "warning",
        "the event's item was not exposed in its request",
        rows(
            "events",
            "SEMI JOIN (SELECT request_id, item_id FROM candidates WHERE NOT exposed)"
            " USING (request_id, item_id)",
        ),
    ),
    Rule(
        "events-impossible-value",
        "events",
        "value",
        "error",
        "the value is negative or not finite",
        rows("events", "WHERE t.value < 0 OR NOT isfinite(CAST(t.value AS DOUBLE))"),
    ),
    Rule(
        "events-repeated",
        "events",
        "timestamp",
        "warning",
        "an earlier row has the same user, item, time, action and request",
        rows(
            "events",
            f"SEMI JOIN (SELECT {_SAME_EVENT} FROM events GROUP BY ALL HAVING count(*) > 1)"
            f" USING ({_SAME_EVENT})"
            f" QUALIFY row_number() OVER (PARTITION BY {_SAME_EVENT}, request_id ORDER BY t.{ROW}) > 1",
        ),
    ),
    Rule(
        "log-without-events",
        "events",
        "action",
        "error",
        "there are no events, so there is nothing to learn",
        f"SELECT 0 AS {ROW} WHERE (SELECT count(*) FROM events) = 0",
        droppable=False,
    ),
    Rule(
        "log-without-clicks",
        "events",
        "action",
        "error",
        "no event is a click or a purchase, so there is nothing to learn",
        f"SELECT 0 AS {ROW} WHERE (SELECT count(*) FROM events) > 0"
        f" AND NOT EXISTS (SELECT 1 FROM events WHERE {_CLICKED})",
        droppable=False,
    ),
    Rule(
        "log-all-clicked",
        "candidates",
        "exposed",
        "error",
        "every exposed item was clicked, so there is nothing to tell apart",
        f"SELECT 0 AS {ROW}, exposed, clicked FROM (SELECT count(*) AS exposed, count(k.item_id) AS clicked"
        f" FROM candidates LEFT JOIN (SELECT DISTINCT request_id, item_id FROM events WHERE {_CLICKED}) k"
        " USING (request_id, item_id) WHERE candidates.exposed) WHERE exposed = clicked AND exposed > 0",
        droppable=False,
    ),
)
"""The rules that hold for every log, in the order in which rows are dropped."""


def rules_for(logs: LogTables) -> list[Rule]:
    """All rules, those for this log's own columns among them, in the order in which rows are dropped."""
    return [*embedding_lengths(logs), *RULES, *empty_columns(logs)]
