"""The queries that make the log tables of JDsearch's parsed rows."""

from __future__ import annotations

from collections.abc import Mapping

from corank.logs.adapters.jdsearch.rows import LABELS
from corank.logs.engine import quoted

DAY = "2022-10-17"
"""The day of all searches with candidates. The time of day is not published: the line's digest sets it."""

_LONGEST = 631_152_000  # 20 years of seconds

_LEVELS = ", ".join(f"{level}: {quoted(action)}" for action, level in LABELS.items())

STEPS: Mapping[str, str] = {
    "searches": f"""
        SELECT user_id, query, items, ranks, labels, history_queries, history_items, history_actions, gaps,
          epoch_us(DATE '{DAY}') // 1_000_000 + user_id % 86_400 AS second, len(history_items) AS deeds,
          len(history_items) = len(history_queries) AND len(history_items) = len(history_actions)
            AND len(history_items) = len(gaps) AND list_count(gaps) = len(gaps)
            AND coalesce(list_sum(gaps), 0) < {_LONGEST} AS history_used
        FROM lines WHERE reason IS NULL""",
    "candidates_of": """
        SELECT user_id, unnest(items) AS item_id, unnest(labels) AS label FROM searches""",
    "histories": """
        SELECT user_id, item_id, action, query, place, second - sum(gap) OVER (
          PARTITION BY user_id ORDER BY place ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS second
        FROM (
          SELECT user_id, second, unnest(history_items) AS item_id, unnest(history_actions) AS action,
            unnest(history_queries) AS query, unnest(gaps) AS gap, unnest(range(1, deeds + 1)) AS place
          FROM searches WHERE history_used)""",
    "touches": f"""
        SELECT DISTINCT user_id, item_id, 1_000_000 * second + deeds + 1 + CAST(label AS BIGINT) AS instant,
          MAP {{{_LEVELS}}}[CAST(label AS BIGINT)] AS action, 'search' AS domain, user_id AS request_id, query
        FROM candidates_of JOIN (SELECT user_id, second, deeds, query FROM searches) USING (user_id)
        WHERE item_id IS NOT NULL AND label IN (1, 2, 3)
        UNION ALL
        SELECT user_id, item_id, CAST(1_000_000 * second + place AS BIGINT), action,
          CASE WHEN query IS NULL THEN 'browse' ELSE 'search' END, NULL, query
        FROM histories WHERE item_id IS NOT NULL AND action IS NOT NULL""",
    "repeated": """
        SELECT item_id, count(*) - 1 AS copies FROM products WHERE reason IS NULL
        GROUP BY item_id HAVING count(*) > 1""",
}
"""Searches with their second; candidates with labels; histories; all events; products with copies.

The places of a history become the microseconds of its second, and the search comes after the last, so that
what happened in one second stays in order. A label's event is its level (1, 2, 3) in microseconds after the
search.
"""

REQUESTS = """
    SELECT user_id AS request_id, user_id, 'search' AS domain,
      make_timestamptz(1_000_000 * second + deeds + 1) AS timestamp, query
    FROM searches ORDER BY timestamp, request_id"""

CANDIDATES = """
    SELECT user_id AS request_id, item_id, true AS exposed,
      CAST(row_number() OVER (PARTITION BY user_id ORDER BY item_id) AS INTEGER) AS position
    FROM (SELECT DISTINCT user_id, item_id FROM candidates_of WHERE item_id IS NOT NULL)
    ORDER BY request_id, position"""
"""Published lists begin with what was interacted with: `position` counts by id instead, and means nothing."""

EVENTS = """
    SELECT user_id, item_id, make_timestamptz(instant) AS timestamp, action, domain, request_id,
      CAST(NULL AS DOUBLE) AS value, query
    FROM touches ORDER BY user_id, instant, action, item_id"""

ITEMS = """
    SELECT item_id, title, category, category_1_id, category_2_id, category_3_id, category_names,
      brand_id, brand_name, shop_id
    FROM (
      SELECT item_id FROM candidates_of WHERE item_id IS NOT NULL UNION SELECT item_id FROM touches)
    LEFT JOIN (
      FROM products ANTI JOIN repeated USING (item_id) WHERE reason IS NULL
      UNION ALL
      (FROM products SEMI JOIN repeated USING (item_id) WHERE reason IS NULL
       QUALIFY row_number() OVER (PARTITION BY item_id
         ORDER BY title, category, category_1_id, category_2_id, category_3_id, category_names, brand_id,
           brand_name, shop_id) = 1)) USING (item_id)
    ORDER BY item_id"""

USERS = "SELECT user_id FROM searches ORDER BY user_id"

TABLES: Mapping[str, str] = {
    "requests": REQUESTS,
    "candidates": CANDIDATES,
    "events": EVENTS,
    "items": ITEMS,
    "users": USERS,
}
"""The log tables.

A category's id becomes `c1028`, one word, lest it be taken for the term 1028 of a query.
"""
