"""What the two Kuaishou data sets share: once an item is `shown`, with what was done to it, the rest follows.

Columns of `shown`: `request_id`, `domain`, `user_id`, `item_id`, `ms` (milliseconds since 1970), `place` (1,
2, ... in a request), a flag for each action, `play_ms`, and those that describe a request or an item in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from corank.logs.adapters.attributes import Attributes, joined
from corank.logs.engine import name, quoted

SEEN = {
    "seen_users": "SELECT DISTINCT user_id AS id FROM shown",
    "seen_items": "SELECT DISTINCT item_id AS id FROM shown",
}
"""The ids in use."""


def tables(
    context: Sequence[str],
    known: Sequence[str],
    actions: Sequence[str],
    attributes: Sequence[Attributes],
    of_users: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, str]:
    """The queries for the log tables, all candidates exposed.

    Args:
        context: columns that describe a request.
        known: columns that describe an item in it.
        actions: flags; each that is true is an event at the time of the request.
        attributes: those that there are.
        of_users: columns of other tables by `id` that are attributes of users, too.
    """
    deeds = " UNION ALL ".join(
        f"SELECT *, {quoted(action)} AS action FROM shown WHERE {name(action)}" for action in actions
    )
    return {
        "requests": f"""
            SELECT request_id, user_id, domain, make_timestamptz(ms * 1000) AS timestamp,
              {", ".join(context)}
            FROM shown WHERE place = 1 ORDER BY ms, request_id""",
        "candidates": f"""
            SELECT request_id, item_id, true AS exposed, CAST(place AS INTEGER) AS position,
              {", ".join(known)}
            FROM shown ORDER BY ms, request_id, place""",
        "events": f"""
            SELECT user_id, item_id, make_timestamptz(ms * 1000) AS timestamp, action, domain, request_id,
              CAST(NULL AS DOUBLE) AS value, CASE WHEN action = 'play' THEN play_ms END AS play_ms
            FROM ({deeds}) ORDER BY ms, request_id, item_id, action""",
        "users": joined(attributes, "seen_users", "user_id", more=of_users),
        "items": joined(attributes, "seen_items", "item_id", required=("title", "category")),
    }
