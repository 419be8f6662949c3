"""The queries that make the log tables of KuaiRand's parsed rows."""

from __future__ import annotations

from collections.abc import Sequence

from corank.logs.adapters import shown
from corank.logs.adapters.attributes import Attributes
from corank.logs.adapters.kuairand.source import FLAGS
from corank.logs.engine import name

IMPRESSIONS = f"""
    SELECT user_id, ms, tab, item_id, min(rowid) AS line, arg_min(is_rand, rowid) AS is_rand,
      {", ".join(f"bool_or({name(action)}) AS {name(action)}" for action in FLAGS.values())},
      coalesce(bool_or(play_ms > 0), false) AS play, max(play_ms) AS play_ms
    FROM impressions WHERE reason IS NULL GROUP BY user_id, ms, tab, item_id"""

SHOWN = f"""
    SELECT * EXCLUDE (line, tab), user_id || ':' || ms || ':' || tab AS request_id, 'rec' AS domain,
      CAST(tab AS VARCHAR) AS tab,
      row_number() OVER (PARTITION BY user_id, ms, tab ORDER BY line) AS place
    FROM ({IMPRESSIONS})"""
"""What one tab showed a user at one time is one request; its places are the order of the rows as read."""

STEPS = {"shown": SHOWN} | shown.SEEN


def tables(attributes: Sequence[Attributes]) -> dict[str, str]:
    """The queries for the log tables, with the attributes that there are."""
    return shown.tables(
        context=("CAST(NULL AS VARCHAR) AS query", "tab"),
        known=("is_rand",),
        actions=(*FLAGS.values(), "play"),
        attributes=attributes,
    )
