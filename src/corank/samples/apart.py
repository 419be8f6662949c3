"""Unexposed items apart: those of a training request become a list of their own, in a domain of their own.

A model can then tell what the site did not show from what users passed over, and is scored as for a search.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from corank.samples.expansion import LONGEST_LIST
from corank.samples.joins import attach

FIRST_APART = 1 << 35
"""Added to the `_number` of a request: that of the list which its drawn items make."""


def lists_apart(
    requests: ir.Table, samples: ir.Table, drawn: ir.Table, domain: str
) -> tuple[ir.Table, ir.Table]:
    """Requests and samples, with drawn items in copies of their requests that are of `domain`.

    Nothing else of a request or of a sample changes. In the order of the store a copy follows its request.

    Args:
        requests: rows of the store, with `_number` and `_samples`.
        samples: rows of the store, with `_number` and `_row`; drawn items stand last in their lists.
        drawn: `_number` and `_row` of the drawn items.
        domain: what the copies are of.
    """
    sizes = drawn.group_by("_number").aggregate(_apart=drawn.count())
    sized = attach(requests, sizes, ["_number"])
    kept = sized.mutate(_samples=sized["_samples"] - sized["_apart"].fill_null(0))
    copies = sized.filter(sized["_apart"].notnull()).mutate(
        _number=sized["_number"] + FIRST_APART, _samples=sized["_apart"], domain=ibis.literal(domain)
    )
    first = kept.filter(kept["_apart"].notnull()).select("_number", _first="_samples")
    moved = drawn.inner_join(first, "_number")
    place = moved["_row"] % LONGEST_LIST - moved["_first"]
    number = moved["_number"] + FIRST_APART
    moved = moved.select("_row", _to=number, _to_row=number * LONGEST_LIST + place)
    rows = attach(samples, moved, ["_row"])
    rows = rows.mutate(
        _number=rows["_to"].fill_null(rows["_number"]), _row=rows["_to_row"].fill_null(rows["_row"])
    )
    columns = requests.columns
    return kept.select(*columns).union(copies.select(*columns)), rows.select(*samples.columns)
