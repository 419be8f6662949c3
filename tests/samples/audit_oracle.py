"""The figures of an audit in plain Python, from rows: what `corank.samples.audit` must agree with.

A row is an item in a list: request, user, query, split, logged, item, exposed, position, price, and as labels
click, purchase (own), any_click, any_purchase. Times are whole microseconds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from tests.samples.oracle import Log

from corank.samples.audit import Rate

Row = dict[str, Any]
Test = Callable[[Row], bool]

FLAGS = ("click", "purchase", "any_click", "any_purchase")


def split_of(time: int, cuts: Sequence[int]) -> int:
    return sum(time >= cut for cut in cuts)


def log_rows(log: Log, domains: Sequence[str], cuts: Sequence[int], window: int) -> list[Row]:
    """The rows of a log's requests of some domains, labelled by clicks and purchases."""
    lists = defaultdict(list)
    for row in log["candidates"]:
        lists[row["request_id"]].append(row)
    deeds = [event for event in log["events"] if event["action"] in ("click", "purchase")]
    rows = []
    for request in log["requests"]:
        split = split_of(request["timestamp"], cuts)
        end = [*cuts, math.inf][split]
        for candidate in lists[request["request_id"]] if request["domain"] in domains else ():
            mine = [
                event
                for event in deeds
                if event["user_id"] == request["user_id"]
                and event["item_id"] == candidate["item_id"]
                and event["timestamp"] < end
            ]
            own = {event["action"] for event in mine if event["request_id"] == request["request_id"]}
            soon = {
                event["action"] for event in mine if 0 < event["timestamp"] - request["timestamp"] <= window
            }
            rows.append(
                {
                    "request": request["request_id"],
                    "user": request["user_id"],
                    "query": request["query"],
                    "split": split,
                    "logged": True,
                    "item": candidate["item_id"],
                    "exposed": bool(candidate["exposed"]),
                    "position": candidate["position"] if candidate["exposed"] else None,
                    "price": candidate["price"],
                    "click": bool(own),
                    "purchase": "purchase" in own,
                    "any_click": bool(own | soon),
                    "any_purchase": "purchase" in own | soon,
                }
            )
    return rows


def rate(rows: Iterable[Row], counted: Test, of: Test = lambda _: True) -> Rate:
    """A share with its interval, from the residuals of each user."""
    users: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if of(row):
            users[row["user"]][0] += 1
            users[row["user"]][1] += counted(row)
    n, y = (sum(user[place] for user in users.values()) for place in (0, 1))
    if not n:
        return Rate(0, 0, None, None, None)
    share, count = y / n, len(users)
    if count < 2:
        return Rate(y, n, share, None, None)
    worth: float = count
    if 0 < y < n:
        residuals = sum((clicks - share * size) ** 2 for size, clicks in users.values())
        variance = residuals / n**2 * count / (count - 1)
        worth = min(n, share * (1 - share) / variance) if variance else n
    z = 1.959964
    middle = (share + z * z / (2 * worth)) / (1 + z * z / worth)
    half = z / (1 + z * z / worth) * math.sqrt(share * (1 - share) / worth + z * z / (4 * worth * worth))
    return Rate(y, n, share, max(middle - half, 0), min(middle + half, 1))


def same(one: Rate, other: Rate) -> bool:
    """Equal counts, equal interval but for rounding."""
    assert (one.count, one.of) == (other.count, other.of)
    assert (one.rate, one.low, one.high) == pytest.approx((other.rate, other.low, other.high))
    return True


def deciles(values: Sequence[float]) -> list[int]:
    """The decile of each value: by the share of values below it."""
    return [1 + 10 * sum(other < value for other in values) // len(values) for value in values]


def popularity(log: Log, before: int) -> dict[Any, int]:
    """Clicks on each item before a time."""
    clicks: dict[Any, int] = defaultdict(int)
    for event in log["events"]:
        clicks[event["item_id"]] += event["action"] == "click" and event["timestamp"] < before
    return clicks


def conversions(log: Log, domains: Sequence[str], window: int) -> dict[str, dict[str, int]]:
    """Domain -> what became of its purchases -> how many."""
    searches = {request["request_id"]: request for request in log["requests"] if request["domain"] in domains}
    clicks = [
        (event, searches[event["request_id"]])
        for event in log["events"]
        if event["action"] == "click"
        and event["request_id"] in searches
        and searches[event["request_id"]]["user_id"] == event["user_id"]
    ]
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for bought in log["events"]:
        if bought["action"] != "purchase":
            continue
        who, what, when = bought["user_id"], bought["item_id"], bought["timestamp"]
        recent = {
            name: request
            for name, request in searches.items()
            if request["user_id"] == who and 0 < when - request["timestamp"] <= window
        }
        stood = {
            bool(row["exposed"])
            for row in log["candidates"]
            if row["request_id"] in recent and row["item_id"] == what
        }
        if any(
            click["user_id"] == who
            and click["item_id"] == what
            and click["timestamp"] < when
            and when - request["timestamp"] <= window
            for click, request in clicks
        ):
            place = "credited"
        elif stood:
            place = "exposed" if True in stood else "unexposed"
        else:
            place = "not_listed" if recent else "no_search"
        found[bought["domain"]][place] += 1
    return found


def stability(before: Sequence[Any], after: Sequence[Any], bin_of: Callable[[Any], Any]) -> float | None:
    """Σ (q - p) ln(q / p) over the bins that either has, half a row added to each."""
    if not before or not after:
        return None
    bins = {bin_of(value) for value in (*before, *after)}
    index = 0.0
    for one in bins:
        p, q = (
            (sum(bin_of(value) == one for value in values) + 0.5) / (len(values) + len(bins) / 2)
            for values in (before, after)
        )
        index += (q - p) * math.log(q / p)
    return index


def number_bins(base: Sequence[float | None]) -> Callable[[float | None], int | None]:
    """Bins between the deciles (nearest rank) of the finite values of a base; None for what is not finite."""
    known = sorted(value for value in base if value is not None and math.isfinite(value))
    steps = (
        {known[max(math.ceil(len(known) * tenth / 10), 1) - 1] for tenth in range(1, 10)} if known else set()
    )

    def bin_of(value: float | None) -> int | None:
        if value is None or not math.isfinite(value):
            return None
        return sum(value > step for step in steps)

    return bin_of
