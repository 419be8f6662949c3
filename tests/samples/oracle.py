"""The steps of `corank.samples` in plain Python: slow, short, and what every engine must agree with.

A log is a dictionary from table to rows (dictionaries); times are whole microseconds.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tests.samples import oracle_es3 as es3
from tests.samples.oracle_es3 import Settings

Row = dict[str, Any]
Log = dict[str, list[Row]]

P, P_HIGH = 2_147_483_579, 2_147_483_647
ACTIONS = ("cart", "click", "purchase", "view")


def remainder(x: int, modulus: int) -> int:
    """SQL's: it has the sign of x."""
    return int(math.copysign(1, x)) * (abs(x) % modulus)


def mix(x: int, keys: Sequence[int]) -> int:
    state = remainder(x, P) + P
    for index, key in enumerate(keys):
        state += key + (remainder(x, P_HIGH) + P_HIGH if index == 1 else 0)
        state = pow(state, 3, P)
    return state


def request_key(request: Any, seed: int, purpose: str) -> Any:
    if isinstance(request, str):
        return hashlib.md5(f"{seed}/{purpose}/{request}".encode()).hexdigest()
    digests = [hashlib.sha256(f"{seed}/{purpose}/{i}".encode()).digest() for i in range(3)]
    return mix(request, [int.from_bytes(digest[:8], "big") % P for digest in digests])


def item_key(request: Any, item: Any, seed: int) -> Any:
    if isinstance(request, str) or isinstance(item, str):
        return hashlib.md5(f"{seed}/item/{request}/{item}".encode()).hexdigest()
    return mix(item, [request_key(request, seed, purpose) for purpose in ("draw-1", "draw-2")])


def cut_times(times: list[int], valid: float, test: float) -> tuple[int, int]:
    """Where validation and test begin, of the sorted times of the requests."""
    tests = math.floor(len(times) * test + 0.5)
    valids = math.floor(len(times) * valid + 0.5)
    return times[len(times) - tests - valids], times[len(times) - tests]


def numbered(log: Log, cuts: tuple[int, int], recipe: str, ratio: float, seed: int) -> list[Row]:
    """Requests with samples in the order of the store, with `split`, `samples` (count) and their `list`."""
    found = []
    for request in log["requests"]:
        own = [row for row in log["candidates"] if row["request_id"] == request["request_id"]]
        if request["domain"] != "search" or not own:
            continue
        exposed = [row for row in own if row["exposed"]]
        split = sum(request["timestamp"] >= cut for cut in cuts)
        samples = len(own)
        if split == 0:
            extra = math.floor(len(exposed) * ratio + 0.5) if recipe != "exposed" else 0
            samples = len(exposed) + min(extra, len(own) - len(exposed))
        if samples:
            found.append({**request, "split": split, "samples": samples, "list": own})
    found.sort(key=lambda r: (r["split"], request_key(r["request_id"], seed, "shuffle"), r["request_id"]))
    return found


def expanded(request: Row, seed: int) -> list[Row]:
    """The items of a request that are kept, in order."""

    def order(row: Row) -> tuple[Any, ...]:
        if row["exposed"]:
            return (0, math.inf if row["position"] is None else row["position"], "", row["item_id"])
        return (1, 0, item_key(request["request_id"], row["item_id"], seed), row["item_id"])

    return sorted(request["list"], key=order)[: request["samples"]]


def rank(request: Row, item: Row, column: str) -> float | None:
    """Rank of the item's value in the entire list, 0 to 1, ties sharing their mean."""
    values = [row[column] for row in request["list"] if is_value(row[column])]
    value = item[column]
    if not is_value(value):
        return None
    if len(values) == 1:
        return 0.5
    lower, same = sum(v < value for v in values), sum(v == value for v in values)
    return float(np.float32((lower + (lower + same - 1)) / (2 * (len(values) - 1))))


def is_value(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


def history(log: Log) -> list[Row]:
    """The flat table of histories, in order."""
    users = {request["user_id"] for request in log["requests"]}
    columns = ("user_id", "timestamp", "action", "item_id", "domain")
    rows = [event for event in log["events"] if event["user_id"] in users]
    rows.sort(key=lambda event: tuple(event[column] for column in columns))
    return [{column: row[column] for column in columns} for row in rows]


def history_part(rows: list[Row], request: Row) -> tuple[int, int]:
    """(offset, length) of a request's history."""
    own = [index for index, row in enumerate(rows) if row["user_id"] == request["user_id"]]
    before = [index for index in own if rows[index]["timestamp"] < request["timestamp"]]
    return (own[0] if own else 0), len(before)


def touches(log: Log, request: Row, item: Any, scope: Sequence[str], name: str) -> Row:
    """Counts, seconds since, and order of the earlier touches of an item."""
    earlier = [
        event
        for event in log["events"]
        if event["timestamp"] < request["timestamp"]
        and all(event[key] is not None and event[key] == request[key] for key in scope)
    ]
    earlier.sort(key=lambda event: (event["timestamp"], event["action"], event["item_id"]))
    own = [event for event in earlier if event["item_id"] == item]
    result: Row = {f"{name}_touches": len(own)}
    for action in ACTIONS:
        result[f"{name}_touches_{action}"] = sum(event["action"] == action for event in own)
    latest_first = list(dict.fromkeys(event["item_id"] for event in reversed(earlier)))
    since = np.float32((request["timestamp"] - own[-1]["timestamp"]) / 1e6) if own else None
    result[f"{name}_since_touch"] = None if since is None else float(since)
    result[f"{name}_touch_order"] = latest_first.index(item) + 1 if own else None
    return result


def item_clicks(log: Log, request: Row, item: Any) -> int:
    """Clicks on an item by anyone before the request."""
    return sum(
        event["action"] == "click" and event["item_id"] == item and event["timestamp"] < request["timestamp"]
        for event in log["events"]
    )


def exposures(log: Log, request: Row, item: Any) -> Row:
    """Earlier requests that showed the item, to this user and to anyone."""
    by_id = {earlier["request_id"]: earlier for earlier in log["requests"]}
    shown = [
        by_id[row["request_id"]]
        for row in log["candidates"]
        if row["exposed"] and row["item_id"] == item and row["request_id"] in by_id
    ]
    shown = [earlier for earlier in shown if earlier["timestamp"] < request["timestamp"]]
    own = [earlier["timestamp"] for earlier in shown if earlier["user_id"] == request["user_id"]]
    since = float(np.float32((request["timestamp"] - max(own)) / 1e6)) if own else None
    return {"user_shown": len(own), "user_since_shown": since, "item_shown": len(shown)}


def from_touch(log: Log, request: Row, item: Row) -> Row:
    """The list's touched items by recency, and the price less that of the first of them."""
    order = {
        row["item_id"]: touches(log, request, row["item_id"], ["user_id"], "user")["user_touch_order"]
        for row in request["list"]
    }
    touched = sorted((place, key) for key, place in order.items() if place is not None)
    places = {key: place + 1 for place, (_, key) in enumerate(touched)}
    distance = None
    if touched:
        anchor = next(row for row in request["list"] if row["item_id"] == touched[0][1])
        if is_value(item["price"]) and is_value(anchor["price"]):
            distance = float(np.float32(item["price"] - anchor["price"]))
    return {"list_touch_order": places.get(item["item_id"]), "price_from_touch": distance}


REQUEST_COLUMNS = (
    "request_id",
    "user_id",
    "session_id",
    "domain",
    "timestamp",
    "query",
    "query_source",
    "history_offset",
    "history_length",
)
"""What the oracle tells of a request."""


@dataclass(frozen=True)
class Built:
    """What a build makes: requests in order, each with its rows of samples; the histories; the ledger."""

    store: list[tuple[Row, list[Row]]]
    history: list[Row]
    ledger: list[Row]


def build(log: Log, settings: Settings) -> Built:
    """The whole store."""
    requests = numbered(log, settings.cuts, settings.recipe, settings.ratio, settings.seed)
    for request in requests:
        request |= {"pseudo": None, "query_source": "logged", "rows": expanded(request, settings.seed)}
    chosen = {request["request_id"]: request for request in requests}
    events = es3.events_of(log, settings)
    es3.first_fates(log, events, chosen, settings)
    if settings.attributes:
        es3.attribute(log, events, requests, settings)
    if settings.recipe == "es3":
        requests = [*requests, *es3.searchify(log, events, requests, settings)]
        requests.sort(key=lambda r: (r["split"], *_order(r, settings.seed)))
    past = history(log)
    scopes = {"user": ["user_id"]} | ({"session": ["user_id", "session_id"]} if settings.sessions else {})
    store = []
    for request in requests:
        rows = [sample(log, events, request, item, scopes, settings) for item in request["rows"]]
        offset, length = history_part(past, request)
        told = {**request, "history_offset": offset, "history_length": length}
        store += apart(told, rows, settings.unexposed_domain)
    return Built(store, past, es3.ledger(events))


def apart(request: Row, rows: list[Row], domain: str | None) -> list[tuple[Row, list[Row]]]:
    """The request's list, or two: what it showed, and what it did not, of another domain."""
    hidden = [row for row in rows if not row["exposed"]]
    if domain is None or request["split"] != 0 or not hidden:
        return [(request, rows)]
    return [(request, [row for row in rows if row["exposed"]]), ({**request, "domain": domain}, hidden)]


def _order(request: Row, seed: int) -> tuple[Any, ...]:
    pseudo = request["pseudo"]
    name = request["request_id"]
    return request_key(name, seed, "shuffle"), name, pseudo is not None, 0 if pseudo is None else pseudo


def sample(
    log: Log, events: list[Row], request: Row, item: Row, scopes: dict[str, list[str]], settings: Settings
) -> Row:
    """One row of the store."""
    row = {
        "item_id": item["item_id"],
        "exposed": item["exposed"],
        "position": item["position"] if item["exposed"] else None,
        **es3.labels(events, request, item, settings),
        **es3.anywhere(log, events, request, item["item_id"], settings),
        "price": item["price"],
        "price_rank": rank(request, item, "price"),
        "item_clicks": item_clicks(log, request, item["item_id"]),
        **exposures(log, request, item["item_id"]),
        **from_touch(log, request, item),
    }
    for name, scope in scopes.items():
        row |= touches(log, request, item["item_id"], scope, name)
    return row
