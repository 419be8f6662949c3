"""The queries that make the log tables of Coveo's parsed rows."""

from __future__ import annotations

from collections.abc import Mapping

STEPS: Mapping[str, str] = {
    "lengths": """
        SELECT
          (SELECT length FROM (
            SELECT 1 AS home, len(description) AS length FROM products WHERE reason IS NULL
            UNION ALL SELECT 2, len(vector) FROM searches WHERE reason IS NULL)
           WHERE length > 0 GROUP BY home, length ORDER BY home, count(*) DESC, length LIMIT 1) AS of_text,
          (SELECT len(image) FROM products WHERE reason IS NULL AND len(image) > 0
           GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1) AS of_image""",
    "searched": """
        SELECT * EXCLUDE (nth), listed AND nth > 1 AS renamed, CASE WHEN listed
          THEN session_id || ':' || ms || CASE WHEN nth > 1 THEN ':' || nth ELSE '' END END AS request_id
        FROM (
          SELECT session_id, ms, written, vector, list_select(items, ranks) AS items, ranks, clicked,
            len(items) - len(ranks) AS repeats, coalesce(len(ranks), 0) > 0 AS listed,
            row_number() OVER (PARTITION BY session_id, ms, coalesce(len(ranks), 0) > 0
              ORDER BY written, items, clicked) AS nth
          FROM searches WHERE reason IS NULL)""",
    "contexts": """
        SELECT DISTINCT session_id, ms, (ms - first) / 1000 AS session_seconds,
          (ms - last.ms) / 1000 AS seconds_since_action, last.action AS previous_action, pages
        FROM (
          SELECT session_id, ms, action, min(ms) OVER (PARTITION BY session_id) AS first,
            max({'ms': ms, 'action': action}) OVER earlier AS last,
            count(*) FILTER (action = 'page') OVER earlier AS pages
          FROM (
            SELECT session_id, ms, coalesce(action, 'page') AS action FROM actions
            SEMI JOIN searched USING (session_id) WHERE reason IS NULL
            UNION ALL SELECT session_id, ms, 'search' FROM searched)
          WINDOW earlier AS (PARTITION BY session_id ORDER BY ms
            RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
        WHERE action = 'search'""",
    "clicks": """
        SELECT session_id, ms, item_id,
          CASE WHEN list_contains(items, item_id) THEN request_id END AS request_id, listed
        FROM (SELECT session_id, ms, items, request_id, listed, unnest(clicked) AS item_id FROM searched)""",
    "touches": """
        SELECT session_id, item_id, ms, action, domain, request_id, count(*) AS copies FROM (
          SELECT session_id, item_id, ms, 'click' AS action, 'search' AS domain, request_id FROM clicks
          UNION ALL
          SELECT session_id, item_id, ms, action, 'browse', NULL FROM actions
          WHERE reason IS NULL AND action IS NOT NULL)
        GROUP BY ALL""",
}
"""The vectors' lengths; searches with their ids; what a session did before each; clicks; all events."""

REQUESTS = """
    SELECT request_id, session_id AS user_id, 'search' AS domain, make_timestamptz(1000 * ms) AS timestamp,
      'q' || md5(written)[:16] AS query,
      CASE WHEN len(vector) = (SELECT of_text FROM lengths) THEN vector END AS query_embedding,
      session_seconds, seconds_since_action, previous_action, pages
    FROM searched JOIN contexts USING (session_id, ms) WHERE listed ORDER BY ms, request_id"""
"""A query is known by its vector alone, so a digest of the vector as written is its one word."""

CANDIDATES = """
    SELECT request_id, item_id, true AS exposed, CAST(rank AS INTEGER) AS position, price_bucket
    FROM (
      SELECT request_id, ms, unnest(items) AS item_id, unnest(ranks) AS rank FROM searched WHERE listed)
    LEFT JOIN (SELECT item_id, price_bucket FROM products WHERE reason IS NULL) USING (item_id)
    ORDER BY ms, request_id, rank"""

EVENTS = """
    SELECT session_id AS user_id, item_id, make_timestamptz(1000 * ms) AS timestamp, action, domain,
      request_id, CAST(NULL AS DOUBLE) AS value
    FROM touches ORDER BY ms, user_id, action, item_id, domain, request_id"""

ITEMS = """
    SELECT item_id, CAST(NULL AS VARCHAR) AS title, category,
      CASE WHEN len(description) = (SELECT of_text FROM lengths) THEN description END AS embedding,
      CASE WHEN len(image) = (SELECT of_image FROM lengths) THEN image END AS image_embedding
    FROM (SELECT unnest(items) AS item_id FROM searched UNION SELECT item_id FROM touches)
    LEFT JOIN (SELECT * FROM products WHERE reason IS NULL) USING (item_id)
    ORDER BY item_id"""

USERS = """
    SELECT session_id AS user_id FROM searched WHERE listed UNION SELECT session_id FROM touches
    ORDER BY user_id"""

TABLES: Mapping[str, str] = {
    "requests": REQUESTS,
    "candidates": CANDIDATES,
    "events": EVENTS,
    "items": ITEMS,
    "users": USERS,
}
"""The log tables."""
