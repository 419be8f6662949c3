"""Small logs full of trouble: ties, same instants, repeated items, missing ids, text and integer ids."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st
from tests.samples.oracle import ACTIONS, Log

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
CUTS = (START + 7 * SECOND, START + 10 * SECOND)
"""Fixed starts of validation and test, in microseconds: times in logs run from 0 to 12 seconds."""

TIME = pa.timestamp("us", tz="UTC")
WIDE = (3, -7, 0, 2**62 + 11, -(2**61) - 5, 2**31 - 1, 2**31, 17, 18, 2**63 - 1, -(2**63))
"""Integer ids that would overflow careless arithmetic."""

Make = Callable[[int], Any]

UNKNOWN = 10
"""A part has fewer requests; an event that names this one names none of the log."""

FOLLOWS = ("nothing", "list", "shown", "shown", "unnamed", "unnamed")
"""What an event has to do with the request that was drawn for it: it names it, no more; it is of its user and
soon after, on an item of its list or on a shown one; the same without naming it."""

PARTS = (2, 6)
"""So many logs, each with users and requests of its own, make one: a run of the steps tries them all."""

ids_of: dict[str, Make] = {
    "int": lambda n: WIDE[n] if n < len(WIDE) else n + 1000,
    "text": lambda n: f"ï{n}",
}


def schemas(ids: str) -> dict[str, pa.Schema]:
    """The five tables' schemas; requests and events carry sessions, candidates prices."""
    kind = pa.int64() if ids == "int" else pa.string()
    text, number = pa.string(), pa.float64()
    columns: dict[str, dict[str, pa.DataType]] = {
        "requests": {
            "request_id": kind,
            "user_id": kind,
            "session_id": text,
            "domain": text,
            "timestamp": TIME,
            "query": text,
        },
        "candidates": {
            "request_id": kind,
            "item_id": kind,
            "exposed": pa.bool_(),
            "position": pa.int32(),
            "price": number,
        },
        "events": {
            "user_id": kind,
            "session_id": text,
            "item_id": kind,
            "timestamp": TIME,
            "action": text,
            "domain": text,
            "request_id": kind,
            "value": number,
        },
        "items": {"item_id": kind, "title": text, "category": text, "embedding": pa.list_(number)},
        "users": {"user_id": kind, "country": text},
    }
    return {name: pa.schema(list(fields.items())) for name, fields in columns.items()}


DOMAINS = ("search", "search", "search", "rec", "rec", "shop")
QUERIES = (
    None,
    "",
    "?!",
    "red shoe",
    "Red  SHOE",
    "shoe",
    "bag",
    "ünïque ÉTÉ",
    "red bag 7",
    "nothing like it",
)
TITLES = ("Red shoe", "shoe red", "bag, red", "Ünïque bag", None, "--", "été 7", "blue SHOE", "bag", "hat")
EMBEDDINGS = (
    [1.0, 0.0],
    [2.0, 0.0],
    [1.0, 1.0],
    [0.0, -3.0],
    None,
    [0.0, 0.0],
    [math.nan, 1.0],
    [1.0, 0.5],
    [-1.0, 0.25],
    [4.0, 3.0],
)

SESSION = st.sampled_from([None, "s", "t"])
CANDIDATE = st.tuples(
    st.booleans(),
    st.sampled_from([None, 1, 2, 3]),
    st.sampled_from([None, 1.0, 2.0, 2.0, 3.5, float("nan")]),
)
REQUEST = st.tuples(
    st.integers(0, 2),
    SESSION,
    st.sampled_from(DOMAINS),
    st.integers(0, 48).map(lambda quarters: quarters / 4),
    st.sampled_from(QUERIES),
    st.dictionaries(st.integers(0, 8), CANDIDATE, max_size=8),
)
EVENT = st.tuples(
    st.integers(0, 3),
    SESSION,
    st.integers(0, 9),
    st.integers(0, 48).map(lambda quarters: quarters / 4),
    st.sampled_from(ACTIONS),
    st.sampled_from(["search", "rec", "shop", "direct"]),
    st.sampled_from([None, *range(UNKNOWN + 1)]),
    st.sampled_from(FOLLOWS),
)


def logs(ids: str) -> st.SearchStrategy[Log]:
    """Logs with ids of a kind."""
    part = st.tuples(st.lists(REQUEST, min_size=1, max_size=9), st.lists(EVENT, max_size=30))
    return st.lists(part, min_size=PARTS[0], max_size=PARTS[1]).map(lambda parts: assemble(parts, ids))


def assemble(parts: list[tuple[list[Any], list[Any]]], ids: str) -> Log:
    """The tables of a log from its parts, which have users and requests of their own."""
    make = ids_of[ids]
    log: Log = {name: [] for name in schemas(ids)}
    for index, (requests, events) in enumerate(parts):
        _add_part(log, requests, events, 10 * index, make)
    log["items"] = [
        {
            "item_id": make(n),
            "title": TITLES[n],
            "category": "shoe" if n % 4 == 0 else None,
            "embedding": EMBEDDINGS[n],
        }
        for n in range(10)
    ]
    log["users"] = [{"user_id": make(n), "country": f"c{n}"} for n in range(3)]
    return log


def _add_part(log: Log, requests: list[Any], events: list[Any], shift: int, make: Make) -> None:
    """Add a part, its events of a `FOLLOWS`."""
    for number, (user, session, domain, time, query, listed) in enumerate(requests):
        head = {
            "request_id": make(number + shift),
            "user_id": make(user + shift),
            "session_id": session,
            "domain": domain,
        }
        log["requests"].append({**head, "timestamp": START + int(time * SECOND), "query": query})
        for item, (exposed, position, price) in listed.items():
            row = {"request_id": make(number + shift), "item_id": make(item), "exposed": exposed}
            log["candidates"].append({**row, "position": position if exposed else None, "price": price})
    for user, session, item, time, action, domain, request, follows in events:
        if follows != "nothing" and request is not None and request < len(requests):
            user, time = requests[request][0], requests[request][3] + time % 3.25
            listed = requests[request][-1]
            shown = [n for n in listed if listed[n][0]] if follows == "shown" else []
            choice = sorted(shown or listed or [item])
            item = choice[item % len(choice)]
            request = None if follows == "unnamed" else request
        log["events"].append(
            {
                "user_id": make(user + shift),
                "session_id": session,
                "item_id": make(item),
                "timestamp": START + int(time * SECOND),
                "action": action,
                "domain": domain,
                "request_id": None
                if request is None
                else make(request + (shift if request < UNKNOWN else 5000)),
                "value": None,
            }
        )


def tables(log: Log, ids: str) -> dict[str, pa.Table]:
    """The log as Arrow tables."""
    return {name: pa.Table.from_pylist(log[name], schema) for name, schema in schemas(ids).items()}


def write(log: Log, ids: str, folder: Path) -> Path:
    """The log as a folder of Parquet files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables(log, ids).items():
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def random_log(seed: int, ids: str, parts: int = 12, events: int = 40, users: int = 3) -> Log:
    """A log like those that Hypothesis draws, of a given size; times are quarters of a second."""
    chance = random.Random(seed)

    def head(users: int) -> tuple[int, str | None]:
        return chance.randrange(users), chance.choice([None, "s", "t"])

    def time() -> float:
        return chance.randrange(49) / 4

    def request() -> tuple[Any, ...]:
        listed = {
            item: (
                chance.random() < 0.6,
                chance.choice([None, 1, 2, 3]),
                chance.choice([None, 1.0, 2.0, 3.5]),
            )
            for item in chance.sample(range(9), chance.randrange(9))
        }
        return *head(users), chance.choice(DOMAINS), time(), chance.choice(QUERIES), listed

    def event() -> tuple[Any, ...]:
        where = chance.choice(["search", "rec", "shop", "direct"])
        what = chance.randrange(10), time(), chance.choice(ACTIONS), where
        return *head(users + 1), *what, chance.choice([None, *range(UNKNOWN + 1)]), chance.choice(FOLLOWS)

    drawn = [([request() for _ in range(10)], [event() for _ in range(events)]) for _ in range(parts)]
    return assemble(drawn, ids)


def explicit_cuts() -> list[str]:
    """The settings that cut at CUTS."""
    times = [datetime.fromtimestamp(cut / 1e6, UTC).isoformat() for cut in CUTS]
    return [f"{key}={time}" for key, time in zip(("valid_from", "test_from"), times, strict=True)]
