"""What the steps do at a time: the tables of some users, of some items, or a portion of the store's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from corank.samples.dealing import dealt
from corank.samples.draws import portion_of
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

    @property
    def own(self) -> list[ir.Table]:
        """The tables that hold nothing but these users' rows, where there are several parts."""
        logs = self.logs
        tables = (logs.requests, logs.candidates, logs.events, logs.users)
        return [*tables, self.requests, self.fates, *([] if self.exposures is None else [self.exposures])]


def by_user(plan: Plan) -> list[Part]:
    """The tables of each shard of users."""
    shards = len(plan.parts)
    if shards == 1:
        return [Part(plan.logs, plan.requests, plan.fates, plan.exposures)]
    numbered = dealt(plan.engine, "part_numbered", plan.requests, "user_id", shards)
    fates = dealt(plan.engine, "part_fates", plan.fates, "user_id", shards)
    exposures: Sequence[ir.Table | None] = [None] * shards
    if plan.exposures is not None:
        exposures = dealt(plan.engine, "part_exposures", plan.exposures, "user_id", shards)
    return [Part(*own) for own in zip(plan.parts, numbered, fates, exposures, strict=True)]


def by_item(plan: Plan, name: str, table: ir.Table, shards: int) -> list[ir.Table]:
    """The rows of each shard of items."""
    return dealt(plan.engine, name, table, "item_id", shards)


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
