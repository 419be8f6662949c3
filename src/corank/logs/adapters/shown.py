"""What adapters share once a source is `shown`: every item of a request once, with what was done to it.

Columns of `shown`: `request_id`, `domain`, `user_id`, `item_id`, `ms` (milliseconds since 1970), `place` (1,
2, ... in a request), a flag for each action, `play_ms`, and those that describe a request or an item in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from corank.logs.adapters.attributes import Attributes, joined, load_attributes
from corank.logs.engine import name, quoted, write_parquet
from corank.progress import Task

STAGES = 8
"""Steps of progress that reading the rows and `write_tables` make together."""

SEEN = {
    "seen_users": "SELECT DISTINCT user_id AS id FROM shown",
    "seen_items": "SELECT DISTINCT item_id AS id FROM shown",
}
"""The ids in use."""


@dataclass(frozen=True)
class Layout:
    """How a source's rows become log tables: queries that make `shown`, and which of its columns go where.

    `of_users` names tables of `steps` whose columns are attributes of users too, by `id`.
    """

    steps: Mapping[str, str]
    context: Sequence[str]
    known: Sequence[str]
    actions: Sequence[str]
    of_users: Sequence[str] = ()


def write_tables(
    connection: duckdb.DuckDBPyConnection,
    layout: Layout,
    attributes: Sequence[Attributes],
    out: Path,
    task: Task,
) -> dict[str, int]:
    """Write the five tables of the rows read into the folder `out`; rows of attributes read, by file.

    Raises:
        CorankError: a file of attributes cannot be read or lacks its key.
    """
    for table, query in layout.steps.items():
        connection.execute(f"CREATE TABLE {table} AS {query}")
    task.advance(note="requests found")
    read = dict[str, int]()
    for wanted in attributes:
        read |= load_attributes(connection, wanted)
    task.advance(note="attributes read")
    of_users = [wanted.table for wanted in attributes if wanted.seen == "seen_users"] + [*layout.of_users]
    of_items = [wanted.table for wanted in attributes if wanted.seen == "seen_items"]
    queries = {
        "requests": requests(layout.context),
        "candidates": candidates(layout.known),
        "events": events(layout.actions),
        "users": joined(connection, "seen_users", "user_id", of_users),
        "items": joined(connection, "seen_items", "item_id", of_items, ("title", "category")),
    }
    for table, query in queries.items():
        write_parquet(connection, query, out / f"{table}.parquet")
        task.advance(note=table)
    return read


def requests(context: Sequence[str]) -> str:
    """The query for the requests, with these columns of context."""
    columns = ", ".join(("request_id, user_id, domain, make_timestamptz(ms * 1000) AS timestamp", *context))
    return f"SELECT {columns} FROM shown WHERE place = 1 ORDER BY ms, request_id"


def candidates(known: Sequence[str]) -> str:
    """The query for the candidates, all exposed, with these columns."""
    columns = ", ".join(("request_id, item_id, true AS exposed, CAST(place AS INTEGER) AS position", *known))
    return f"SELECT {columns} FROM shown ORDER BY ms, request_id, place"


def events(actions: Sequence[str]) -> str:
    """The query for an event for each action that is true of an item shown, at the time of its request."""
    deeds = " UNION ALL ".join(
        f"SELECT *, {quoted(action)} AS action FROM shown WHERE {name(action)}" for action in actions
    )
    return f"""
        SELECT user_id, item_id, make_timestamptz(ms * 1000) AS timestamp, action, domain, request_id,
          CAST(NULL AS DOUBLE) AS value, CASE WHEN action = 'play' THEN play_ms END AS play_ms
        FROM ({deeds}) ORDER BY ms, request_id, item_id, action"""
