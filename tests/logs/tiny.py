"""A log small enough to read, in which every rule holds, as rows to be changed and written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Rows = dict[str, list[dict[str, Any]]]
"""The rows of each table."""

START = datetime(2024, 5, 1, 12, tzinfo=UTC)

TIME = pa.timestamp("us", tz="UTC")

SCHEMAS: Mapping[str, pa.Schema] = {
    "requests": pa.schema(
        {
            "request_id": pa.int64(),
            "user_id": pa.string(),
            "domain": pa.string(),
            "timestamp": TIME,
            "query": pa.string(),
            "device": pa.string(),
            "query_embedding": pa.list_(pa.float32()),
        }
    ),
    "candidates": pa.schema(
        {
            "request_id": pa.int64(),
            "item_id": pa.int64(),
            "exposed": pa.bool_(),
            "position": pa.int32(),
            "price": pa.float64(),
        }
    ),
    "events": pa.schema(
        {
            "user_id": pa.string(),
            "item_id": pa.int64(),
            "timestamp": TIME,
            "action": pa.string(),
            "domain": pa.string(),
            "request_id": pa.int64(),
            "value": pa.float64(),
        }
    ),
    "items": pa.schema(
        {
            "item_id": pa.int64(),
            "title": pa.string(),
            "category": pa.string(),
            "embedding": pa.list_(pa.float32()),
        }
    ),
    "users": pa.schema({"user_id": pa.string(), "age": pa.int32()}),
}


def minutes(count: float) -> datetime:
    """That many minutes after the log's start."""
    return START + timedelta(minutes=count)


def good_rows() -> Rows:
    """Four requests of three users over five items: two of three candidates exposed, two clicks."""
    queries = {1: "red shoes", 2: None, 3: "blue hat", 4: None}
    users = {1: "ann", 2: "bob", 3: "ann", 4: "cyd"}
    return {
        "requests": [
            {
                "request_id": request,
                "user_id": users[request],
                "domain": "search" if queries[request] else "rec",
                "timestamp": minutes(10 * request),
                "query": queries[request],
                "device": "phone",
                "query_embedding": [0.5, float(request)] if queries[request] else None,
            }
            for request in queries
        ],
        "candidates": [
            {
                "request_id": request,
                "item_id": 100 + (request + place) % 5,
                "exposed": place < 2,
                "position": place + 1 if place < 2 else None,
                "price": 10.0 + place,
            }
            for request in queries
            for place in range(3)
        ],
        "events": [
            event("ann", 101, 10, "click", 1),
            event("ann", 101, 12, "purchase", 1, value=10.0),
            event("bob", 103, 21, "click", 2),
            event("cyd", 100, 5, "view", None),
        ],
        "items": [
            {"item_id": 100 + n, "title": f"item {n}", "category": "shoes", "embedding": [0.5, float(n)]}
            for n in range(5)
        ],
        "users": [{"user_id": user, "age": 30} for user in ("ann", "bob", "cyd")],
    }


def event(
    user: str, item: int, at: float, action: str, request: int | None, value: float | None = None
) -> dict[str, Any]:
    """A row of events, `at` minutes after the log's start."""
    return {
        "user_id": user,
        "item_id": item,
        "timestamp": minutes(at),
        "action": action,
        "domain": "rec" if request in (None, 2, 4) else "search",
        "request_id": request,
        "value": value,
    }


def write_log(folder: Path, rows: Rows | None = None) -> Path:
    """Write rows (the good ones if none are given) as the tables of a log; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, its_rows in (rows or good_rows()).items():
        pq.write_table(pa.Table.from_pylist(its_rows, SCHEMAS[table]), folder / f"{table}.parquet")
    return folder


def read_log(folder: Path) -> Rows:
    """The rows of a log's tables."""
    return {table: pq.read_table(folder / f"{table}.parquet").to_pylist() for table in SCHEMAS}
