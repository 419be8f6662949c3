"""Rows of the log that are there twice, which would double what is joined to them: they stop a build."""

from __future__ import annotations

from collections.abc import Sequence

from corank.errors import CorankError
from corank.logs import LogTables
from corank.samples.engine import Engine, Logs
from corank.samples.expansion import LONGEST_LIST

EVENT = ("user_id", "item_id", "timestamp", "action", "domain", "request_id")
"""What tells an event from another."""


def refuse_repeated_ids(engine: Engine, tables: LogTables, logs: Logs) -> None:
    """Stop if a request, item or user has two rows, or none of its own id.

    Raises:
        CorankError: one has.
    """
    for name, key in (("requests", "request_id"), ("items", "item_id"), ("users", "user_id")):
        table = getattr(logs, name)
        sizes = table.group_by(key).aggregate(_rows=table.count())
        rows = sizes["_rows"]
        count = engine.one(
            sizes.aggregate(
                rows=rows.sum(), known=rows.sum(where=sizes[key].notnull()), ids=sizes[key].count()
            )
        )
        if count["ids"] < count["rows"]:
            what = "nulls" if count["known"] < count["rows"] else "duplicates"
            raise CorankError(
                f"{tables.path(name)}: {key} has {what} ({count['rows']} rows, {count['ids']} distinct ids);"
                " see: corank logs check"
            )


def refuse_bad_lists(engine: Engine, tables: LogTables, parts: Sequence[Logs]) -> None:
    """Stop if a list holds an item twice or none at a place, or is too long.

    Args:
        parts: the log, dealt so that a list is in one part.

    Raises:
        CorankError: one does.
    """
    repeated = longest = 0
    for own in parts:
        rows = own.candidates
        lists = rows.group_by("request_id").aggregate(rows=rows.count(), items=rows.item_id.nunique())
        found = engine.one(
            lists.aggregate(repeated=(lists.rows > lists["items"]).sum(), longest=lists.rows.max())
        )
        repeated, longest = repeated + (found["repeated"] or 0), max(longest, found["longest"] or 0)
    if repeated:
        raise CorankError(
            f"{tables.path('candidates')}: item_id has duplicates or nulls in {repeated}"
            " lists; see: corank logs check"
        )
    if longest >= LONGEST_LIST:
        raise CorankError(
            f"{tables.path('candidates')}: a list of {longest} items; expected fewer than {LONGEST_LIST}"
        )


def refuse_repeated_events(engine: Engine, tables: LogTables, parts: Sequence[Logs]) -> None:
    """Stop if two rows tell the same event.

    Args:
        parts: the log, dealt so that a user's events are in one part.

    Raises:
        CorankError: two do.
    """
    again = 0
    for own in parts:
        sizes = own.events.group_by(*EVENT).aggregate(rows=own.events.count())
        again += engine.one(sizes.aggregate(again=(sizes.rows - 1).sum()))["again"] or 0
    if again:
        raise CorankError(
            f"{tables.path('events')}: {again} rows repeat an event (same user, item, time, action,"
            " domain and request); see: corank logs check, or keep them with duplicate_events=keep"
        )
