"""The queries that make the log tables of trivago's parsed rows (the table `actions`)."""

from __future__ import annotations

from collections.abc import Mapping

from corank.logs.adapters.trivago.rows import TOUCHED

KNOWING = """
    SELECT *,
      second - first_value(second) OVER in_order AS session_seconds,
      second - lag(second) OVER in_order AS seconds_since_action,
      lag(action) OVER in_order AS previous_action,
      last_value(CASE WHEN action = 'sort_order' AND reference <> 'interaction sort button' THEN reference END
        IGNORE NULLS) OVER earlier AS sort_order,
      last_value(CASE WHEN action = 'search_destination' THEN reference END IGNORE NULLS) OVER earlier
        AS destination,
      nullif(last_value(CASE action WHEN 'search_poi' THEN reference WHEN 'search_destination' THEN '' END
        IGNORE NULLS) OVER earlier, '') AS poi
    FROM (SELECT *, second * 1_000_000 + step AS instant FROM actions WHERE reason IS NULL)
    WINDOW
      in_order AS (PARTITION BY user_id, session_id ORDER BY instant, action, reference),
      earlier AS (PARTITION BY user_id, session_id ORDER BY instant, action, reference
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"""
"""Each usable row with what its session knew before it, and its `instant` in microseconds.

Steps order the rows of one second, so they become its microseconds.
The sort button opens a menu and names no order; a new destination makes the point of interest before it void.
"""

LISTS = """
    SELECT *, session_id || ':' || step || CASE WHEN nth > 1 THEN ':' || nth ELSE '' END AS request_id
    FROM (
      SELECT *,
        row_number() OVER (PARTITION BY session_id, step ORDER BY instant, user_id, reference) AS nth
      FROM steps WHERE action = 'click')"""
"""A few sessions count their steps anew: the second list of a session and step is named `session:step:2`."""

TOUCHES = f"""
    SELECT user_id, session_id, instant, action, item_id,
      CASE WHEN list_contains(list_select(items, ranks), item_id) THEN request_id END AS request_id
    FROM lists WHERE item_id IS NOT NULL
    UNION ALL
    SELECT user_id, session_id, instant, action, item_id, NULL FROM steps WHERE {TOUCHED}"""
"""Actions on hotels; a clickout belongs to its request if its hotel is in the list."""

STEPS: Mapping[str, str] = {"steps": KNOWING, "lists": LISTS, "touches": TOUCHES}
"""Rows in their sessions; requests; events."""

REQUESTS = """
    SELECT request_id, user_id, 'search' AS domain, make_timestamptz(instant) AS timestamp, city AS query,
      session_id, CAST(step AS INTEGER) AS step, platform, city, device,
      string_split(current_filters, '|') AS current_filters, sort_order, destination, poi,
      session_seconds, seconds_since_action, previous_action
    FROM lists ORDER BY instant, request_id"""

CANDIDATES = """
    SELECT request_id, items[rank] AS item_id, true AS exposed, CAST(rank AS INTEGER) AS position,
      CAST(rank AS INTEGER) AS shown_rank, prices[rank] AS price
    FROM (SELECT request_id, instant, items, prices, unnest(ranks) AS rank FROM lists)
    ORDER BY instant, request_id, rank"""

EVENTS = """
    SELECT user_id, item_id, make_timestamptz(instant) AS timestamp, action, 'search' AS domain,
      request_id, CAST(NULL AS DOUBLE) AS value, session_id
    FROM touches ORDER BY instant, user_id, session_id, action, item_id, request_id"""

USERS = "SELECT user_id FROM lists UNION SELECT user_id FROM touches ORDER BY user_id"


def tables(described: bool) -> dict[str, str]:
    """The queries for the log tables; hotels have properties if they are described."""
    return {
        "requests": REQUESTS,
        "candidates": CANDIDATES,
        "events": EVENTS,
        "users": USERS,
        "items": _items(described),
    }


def _items(described: bool) -> str:
    seen = "SELECT unnest(list_select(items, ranks)) AS item_id FROM lists UNION SELECT item_id FROM touches"
    bare = "item_id, CAST(NULL AS VARCHAR) AS title, CAST(NULL AS VARCHAR) AS category"
    if not described:
        return f"SELECT {bare} FROM ({seen}) ORDER BY item_id"
    return f"""
        SELECT {bare}, string_split(properties, '|') AS properties
        FROM ({seen}) LEFT JOIN (
          SELECT item_id, min(properties) AS properties FROM hotels GROUP BY item_id) USING (item_id)
        ORDER BY item_id"""
