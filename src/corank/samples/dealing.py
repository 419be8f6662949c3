"""Dealing tables out, so that each part fits into memory: to shards of users or of items, and to portions of
the order of the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from corank.samples.draws import portion_of, shard_of
from corank.samples.engine import Logs
from corank.samples.manifest import SPLITS
from corank.samples.plan import Plan


@dataclass(frozen=True)
class Part:
    """The tables of some users: the log's (items are everyone's), and of a plan what is theirs."""

    logs: Logs
    requests: ir.Table
    fates: ir.Table
    exposures: ir.Table | None


def undivided(plan: Plan) -> Part:
    """The tables of all users."""
    return Part(plan.logs, plan.requests, plan.fates, plan.exposures)


def by_user(plan: Plan, shards: int) -> list[Part]:
    """The tables of each shard of users."""
    logs = plan.logs
    asked = logs.requests.select("request_id", _part=shard_of(logs.requests.user_id, shards))
    dealt = {
        "requests": _dealt(plan, "part_requests", logs.requests, "user_id", shards),
        "candidates": plan.engine.deal(
            "part_candidates", logs.candidates.inner_join(asked, "request_id"), "_part", shards
        ),
        "events": _dealt(plan, "part_events", logs.events, "user_id", shards),
        "users": _dealt(plan, "part_users", logs.users, "user_id", shards),
    }
    numbered = _dealt(plan, "part_numbered", plan.requests, "user_id", shards)
    fates = _dealt(plan, "part_fates", plan.fates, "user_id", shards)
    exposures: Sequence[ir.Table | None] = [None] * shards
    if plan.exposures is not None:
        exposures = _dealt(plan, "part_exposures", plan.exposures, "user_id", shards)
    return [
        Part(
            Logs(items=logs.items, **{name: parts[shard] for name, parts in dealt.items()}),
            numbered[shard],
            fates[shard],
            exposures[shard],
        )
        for shard in range(shards)
    ]


def by_item(plan: Plan, name: str, table: ir.Table, shards: int) -> list[ir.Table]:
    """The rows of each shard of items."""
    return _dealt(plan, name, table, "item_id", shards)


def portions(plan: Plan, total: int) -> list[int]:
    """How many portions of the store to make of each split, by its samples; about `total` together."""
    requests = plan.requests
    samples = requests["_samples"]
    counts = {name: samples.sum(where=requests["_split"] == index) for index, name in enumerate(SPLITS)}
    found = plan.engine.one(requests.aggregate(**counts))
    return [max(1, round(total * found[name] / sum(found.values()))) for name in SPLITS]


def portion(requests: ir.Table, portions: Sequence[int]) -> ir.IntegerColumn:
    """The portion that a request belongs to; portions follow one another in the order of the store."""
    branches, first = [], 0
    for split, count in enumerate(portions):
        branches.append((requests["_split"] == split, first + portion_of(requests["_shuffle"], count)))
        first += count
    return ibis.cases(*branches)


def _dealt(plan: Plan, name: str, table: ir.Table, key: str, shards: int) -> list[ir.Table]:
    return plan.engine.deal(name, table.mutate(_part=shard_of(table[key], shards)), "_part", shards)
