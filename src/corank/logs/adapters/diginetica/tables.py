"""The queries that make the log tables of Diginetica's parsed rows."""

from __future__ import annotations

from collections.abc import Mapping

STEPS: Mapping[str, str] = {
    "sessions": """
        SELECT session_id, min(day) AS day FROM (
          SELECT session_id, frame, day FROM queries
          UNION ALL SELECT session_id, frame, day FROM views
          UNION ALL SELECT session_id, frame, day FROM purchases)
        WHERE frame IS NOT NULL AND day IS NOT NULL GROUP BY session_id""",
    "lists": """
        SELECT query_id, session_id, account_id, query, category_id, items, ranks,
          CASE WHEN query IS NULL THEN 'category' ELSE 'search' END AS domain,
          epoch_us(s.day) + 1000 * frame AS instant, q.day > s.day AS later
        FROM queries q JOIN sessions s USING (session_id) WHERE reason IS NULL""",
    "clicked": """
        SELECT l.session_id, c.item_id, epoch_us(s.day) + 1000 * c.frame AS instant, l.domain,
          CASE WHEN l.query_id IS NULL THEN 'click_without_query'
            WHEN NOT list_contains(list_select(l.items, l.ranks), c.item_id) THEN 'clicked_item_not_in_list'
            WHEN epoch_us(s.day) + 1000 * c.frame < l.instant THEN 'click_before_query'
          END AS reason, l.query_id
        FROM clicks c LEFT JOIN lists l USING (query_id) LEFT JOIN sessions s USING (session_id)
        WHERE c.reason IS NULL""",
    "deeds": """
        SELECT session_id, item_id, 'view' AS action, epoch_us(s.day) + 1000 * frame AS instant,
          v.day > s.day AS later
        FROM views v JOIN sessions s USING (session_id) WHERE reason IS NULL
        UNION ALL
        SELECT session_id, item_id, 'purchase', epoch_us(s.day) + 1000 * frame, p.day > s.day
        FROM purchases p JOIN sessions s USING (session_id) WHERE reason IS NULL""",
    "touches": """
        SELECT session_id, item_id, instant, action, domain, request_id, count(*) AS copies FROM (
          SELECT session_id, item_id, instant, 'click' AS action, domain,
            CASE WHEN reason IS NULL THEN query_id END AS request_id
          FROM clicked WHERE reason IS DISTINCT FROM 'click_without_query'
          UNION ALL SELECT session_id, item_id, instant, action, 'browse', NULL FROM deeds)
        GROUP BY ALL""",
}
"""Sessions' first days; requests; clicks; other deeds; the events of both."""

REQUESTS = """
    SELECT query_id AS request_id, session_id AS user_id, domain, make_timestamptz(instant) AS timestamp,
      query, 'c' || category_id AS page_category, account_id
    FROM lists ORDER BY instant, query_id"""

CANDIDATES = """
    SELECT request_id, item_id, true AS exposed, CAST(rank AS INTEGER) AS position,
      CAST(rank AS INTEGER) AS shown_rank, nullif(price_log2, 0) AS price_log2
    FROM (
      SELECT query_id AS request_id, instant, unnest(list_select(items, ranks)) AS item_id,
        unnest(ranks) AS rank
      FROM lists)
    LEFT JOIN (SELECT item_id, price_log2 FROM products WHERE reason IS NULL) USING (item_id)
    ORDER BY instant, request_id, rank"""

EVENTS = """
    SELECT session_id AS user_id, item_id, make_timestamptz(instant) AS timestamp, action, domain, request_id,
      CAST(NULL AS DOUBLE) AS value
    FROM touches ORDER BY instant, user_id, action, item_id, domain, request_id"""

ITEMS = """
    SELECT item_id, title, 'c' || category_id AS category
    FROM (
      SELECT unnest(list_select(items, ranks)) AS item_id FROM lists UNION SELECT item_id FROM touches)
    LEFT JOIN (SELECT item_id, title FROM products WHERE reason IS NULL) USING (item_id)
    LEFT JOIN (SELECT item_id, category_id FROM categories WHERE reason IS NULL) USING (item_id)
    ORDER BY item_id"""

USERS = """
    SELECT session_id AS user_id FROM lists UNION SELECT session_id FROM touches ORDER BY user_id"""

TABLES: Mapping[str, str] = {
    "requests": REQUESTS,
    "candidates": CANDIDATES,
    "events": EVENTS,
    "items": ITEMS,
    "users": USERS,
}
"""The log tables.

A category's id becomes `c1028`, one word, lest it be taken for the token 1028 of a query.
"""
