"""Split by time: where validation and test begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from corank.errors import CorankError
from corank.samples.manifest import SPLITS
from corank.samples.selection import Selection


@dataclass(frozen=True)
class Cuts:
    """The times at which validation and test begin; training ends at the first of them."""

    valid_from: datetime
    test_from: datetime


def timeline(requests: ir.Table, config: Selection) -> ir.Table:
    """One row about the requests' times: count, first, last, and the cuts by share.

    A cut is the time of the request that stands at the split's rank in the order of (timestamp, request_id).
    """
    ranked = requests.select(
        "timestamp",
        _rank=ibis.row_number().over(order_by=[requests.timestamp, requests.request_id]),
        _count=requests.count().over(),
    )
    # floor(x + 0.5) and not round: engines differ on halves.
    tests = (ranked["_count"] * config.test + 0.5).floor().cast("int64")
    valids = (ranked["_count"] * config.valid + 0.5).floor().cast("int64")
    test_rank = ranked["_count"] - tests
    return ranked.aggregate(
        requests=ranked.count(),
        first=ranked.timestamp.min(),
        last=ranked.timestamp.max(),
        valid_from=ranked.timestamp.min(where=ranked["_rank"] >= test_rank - valids),
        test_from=ranked.timestamp.min(where=ranked["_rank"] >= test_rank),
    )


def cuts(timeline: dict[str, Any], config: Selection) -> Cuts:
    """The cuts that are configured, or those by share from the row that `timeline` gives.

    Raises:
        CorankError: a split would be empty.
    """
    first, last = timeline["first"], timeline["last"]
    span = f"the requests run from {first.isoformat()} to {last.isoformat()}"
    if config.valid_from is not None and config.test_from is not None:
        if config.valid_from <= first:
            raise CorankError(
                f"valid_from {config.valid_from.isoformat()} leaves nothing to train on: {span}"
            )
        if config.test_from > last:
            raise CorankError(f"test_from {config.test_from.isoformat()} leaves nothing to test on: {span}")
        return Cuts(config.valid_from, config.test_from)
    shares = f"valid={config.valid} and test={config.test} of {timeline['requests']} requests"
    valid_from, test_from = timeline["valid_from"], timeline["test_from"]
    if min(config.valid, config.test) * timeline["requests"] < 0.5:
        raise CorankError(f"{shares}: a split would be empty; give larger shares or valid_from and test_from")
    if not first < valid_from < test_from:
        raise CorankError(
            f"{shares}: too many requests at one instant to cut between them ({span});"
            " give valid_from and test_from"
        )
    return Cuts(valid_from, test_from)


def with_split(requests: ir.Table, cuts: Cuts) -> ir.Table:
    """Add `_split` (index into SPLITS) and `_split_end` (null for the last split)."""
    valid_from, test_from = ibis.timestamp(cuts.valid_from), ibis.timestamp(cuts.test_from)
    assert SPLITS == ("train", "valid", "test")
    in_train, in_valid = requests.timestamp < valid_from, requests.timestamp < test_from
    return requests.mutate(
        _split=ibis.cases((in_train, 0), (in_valid, 1), else_=2).cast("int8"),
        _split_end=ibis.cases(
            (in_train, valid_from), (in_valid, test_from), else_=ibis.null("timestamp('UTC')")
        ),
    )
