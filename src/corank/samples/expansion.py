"""Context expansion: the items of each request that become its samples."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from corank.samples.draws import item_key


def candidates_of(requests: ir.Table, candidates: ir.Table) -> ir.Table:
    """The candidates of numbered requests, with the requests' columns that the later steps need."""
    needed = requests.select("request_id", "_number", "_samples", "_key_1", "_key_2", "timestamp")
    shown = candidates.exposed.fill_null(False)
    known = candidates.mutate(
        exposed=shown, position=ibis.ifelse(shown, candidates.position, ibis.null("int64")).cast("int32")
    )
    return known.inner_join(needed, "request_id")


def expanded(candidates: ir.Table, seed: int) -> ir.Table:
    """The first `_samples` items of each list, with `_place` in it (from 0).

    Exposed items stand first, by position; the others follow in the order of their draw keys, so that any
    number of them from the front is a uniform draw without replacement.
    """
    keys = (candidates["_key_1"], candidates["_key_2"])
    order = [
        (~candidates.exposed).cast("int8"),
        candidates.position.asc(nulls_first=False),
        item_key(candidates.item_id, candidates.request_id, keys, seed),
        candidates.item_id,
    ]
    placed = candidates.mutate(_place=ibis.row_number().over(group_by="_number", order_by=order))
    kept = placed.filter(placed["_place"] < placed["_samples"])
    return kept.drop("request_id", "_samples", "_key_1", "_key_2")
