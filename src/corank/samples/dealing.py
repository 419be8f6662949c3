"""Dealing the log out to shards of users, or of items, so that each fits into memory."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.draws import shard_of
from corank.samples.engine import Engine, Logs
from corank.samples.joins import attach


def logs_by_user(engine: Engine, logs: Logs, shards: int) -> list[Logs]:
    """The log's tables of each shard of users; a list belongs to its request's user.

    Lists without a request, which no step looks at, go by the id that they have: they are checked, too.
    """
    if shards == 1:
        return [logs]
    asked = logs.requests.select("request_id", _part=shard_of(logs.requests.user_id, shards))
    candidates = attach(logs.candidates, asked, ["request_id"])
    candidates = candidates.mutate(
        _part=ibis.coalesce(candidates["_part"], shard_of(candidates.request_id, shards), 0)
    )
    tables = {"candidates": engine.deal("part_candidates", candidates, "_part", shards)}
    for name in ("requests", "events", "users"):
        tables[name] = dealt(engine, f"part_{name}", getattr(logs, name), "user_id", shards)
    return [
        Logs(items=logs.items, **{name: parts[shard] for name, parts in tables.items()})
        for shard in range(shards)
    ]


def dealt(engine: Engine, name: str, table: ir.Table, key: str, shards: int) -> list[ir.Table]:
    """The rows of each shard, by a column of ids; a row without an id is nobody's, and in the first."""
    return engine.deal(name, table.mutate(_part=shard_of(table[key], shards).fill_null(0)), "_part", shards)


def gathered(engine: Engine, name: str, tables: Sequence[ir.Table]) -> ir.Table:
    """The rows of all tables, made one after another."""
    held = engine.keep(name, tables[0])
    for table in tables[1:]:
        held = engine.append(name, table)
    return held
