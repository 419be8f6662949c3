"""The queries that make the log tables of KuaiSAR's parsed rows."""

from __future__ import annotations

from collections.abc import Sequence

from corank.logs.adapters import shown
from corank.logs.adapters.attributes import Attributes

SESSIONS = """
    SELECT *,
      'search:' || user_id || ':' || session || CASE WHEN nth > 1 THEN ':' || nth ELSE '' END AS request_id
    FROM (
      SELECT *, rowid AS line,
        dense_rank() OVER (PARTITION BY user_id, session ORDER BY ms, query, search_source) AS nth
      FROM searches WHERE reason IS NULL)"""
"""A session id with several times, keywords or sources is several searches: the second is named `...:2`."""

SEARCHED = """
    SELECT request_id, 'search' AS domain, user_id, ms, query, search_source, item_id, min(line) AS line,
      arg_min(result_type, line) AS result_type, bool_or(click > 0) AS click,
      false AS "like", false AS follow, false AS forward, false AS "search", false AS search_related,
      false AS play, CAST(NULL AS DOUBLE) AS play_ms
    FROM sessions GROUP BY ALL"""

RECOMMENDED = """
    SELECT 'rec:' || user_id || ':' || ms AS request_id, 'rec' AS domain, user_id, ms,
      CAST(NULL AS VARCHAR) AS query, CAST(NULL AS VARCHAR) AS search_source, item_id, min(rowid) AS line,
      CAST(NULL AS VARCHAR) AS result_type, bool_or(click > 0) AS click, bool_or("like" > 0) AS "like",
      bool_or(follow > 0) AS follow, bool_or(forward > 0) AS forward,
      bool_or("search" > 0 AND related = 0) AS "search",
      bool_or("search" > 0 AND related > 0) AS search_related,
      coalesce(bool_or(play_ms > 0), false) AS play, max(play_ms) AS play_ms
    FROM recommendations WHERE reason IS NULL GROUP BY ALL"""
"""What the system sent a user at one time is one request."""

SHOWN = f"""
    SELECT * EXCLUDE (line), row_number() OVER (PARTITION BY request_id ORDER BY line) AS place
    FROM ({SEARCHED} UNION ALL {RECOMMENDED})"""
"""Every item of a request once, with its place: the order of its rows in the file."""

FOLLOWS = """
    SELECT user_id AS id, list(friend ORDER BY friend) AS follows
    FROM (SELECT DISTINCT user_id, friend FROM friends WHERE reason IS NULL)
    WHERE user_id IN (FROM seen_users) GROUP BY user_id"""

STEPS = {"sessions": SESSIONS, "shown": SHOWN} | shown.SEEN | {"follows": FOLLOWS}


def tables(attributes: Sequence[Attributes], friends: bool) -> dict[str, str]:
    """The queries for the log tables, with the attributes that there are."""
    return shown.tables(
        context=("query", "search_source"),
        known=("result_type",),
        actions=("click", "like", "follow", "forward", "search", "search_related", "play"),
        attributes=attributes,
        of_users={"follows": ("follows",)} if friends else {},
    )
