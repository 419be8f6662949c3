"""trivago's log with unexposed candidates, which it does not hold: items that earlier lists showed.

A list of the training period gains items that it did not show and that an earlier list of the same
destination (`query`) on the same platform did: first what its own session was shown, then what others were,
the latest first. Only what happened strictly before the request is used. Such an item has the price and the
place (`shown_rank`) of the list it was shown in last, which were known by then: an empty place would tell it
from the items of the list. Items that the user touched before are left out, so that the columns taken from
the item touched last are those of the list as shown. Lists of validation and test stay as they are.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from corank.files import whole_folder

QUERY = """
    WITH lists AS (
        SELECT request_id, user_id, session_id, platform, query, timestamp
        FROM read_parquet($logs || '/requests.parquet') WHERE timestamp < $until::TIMESTAMPTZ
    ),
    candidates AS (SELECT * FROM read_parquet($logs || '/candidates.parquet')),
    shown AS (SELECT * FROM lists JOIN candidates USING (request_id) WHERE exposed),
    touched AS (SELECT user_id, item_id, min(timestamp) AS first_touch
        FROM read_parquet($logs || '/events.parquet') GROUP BY ALL),
    met AS (
        SELECT l.request_id, s.item_id,
            max({own: s.session_id = l.session_id AND s.user_id = l.user_id, time: s.timestamp,
                request: s.request_id, shown_rank: s.shown_rank, price: s.price}) AS latest
        FROM lists l
        JOIN shown s ON s.query = l.query AND s.platform = l.platform AND s.timestamp < l.timestamp
        LEFT JOIN touched t ON t.user_id = l.user_id AND t.item_id = s.item_id
        WHERE $touched OR t.first_touch IS NULL OR t.first_touch >= l.timestamp
        GROUP BY l.request_id, s.item_id
    ),
    unexposed AS (
        SELECT * FROM met ANTI JOIN candidates USING (request_id, item_id)
        QUALIFY row_number() OVER (PARTITION BY request_id ORDER BY latest DESC, item_id) <= $most
    )
    SELECT * FROM candidates
    UNION ALL
    SELECT request_id, item_id, false, NULL, CASE WHEN $placed THEN latest.shown_rank END,
        CASE WHEN $priced THEN latest.price END
    FROM unexposed
    ORDER BY request_id, exposed DESC, position, item_id
"""


@dataclass(frozen=True)
class Widening:
    """How lists are widened.

    Attributes:
        most: unexposed candidates of a list, at most.
        touched: items that the user touched before may be among them.
        placed, priced: they have the place, and the price, of the list that showed them last; else none.
    """

    most: int = 25
    touched: bool = False
    placed: bool = True
    priced: bool = True


def widen(logs: Path, out: Path, until: datetime, how: Widening) -> None:
    """Copy a log, with unexposed candidates in the lists before `until`."""
    with whole_folder(out, overwrite=True) as folder, duckdb.connect() as connection:
        shutil.copytree(logs, folder, dirs_exist_ok=True)
        connection.execute("SET TimeZone = 'UTC'")
        values = {"logs": str(logs), "until": until.isoformat(), **vars(how)}
        connection.sql(QUERY, params=values).write_parquet(str(folder / "candidates.parquet"))
