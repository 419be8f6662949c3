"""Context expansion: the items of each request that become its samples."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from corank.samples.draws import item_key

FIRST_DRAW = 1 << 40
"""Added to integer draw keys, so that every position comes before them."""

LONGEST_LIST = 1 << 20
"""More than the items of any request: `_row` is the request's `_number` times this, plus the item's place."""


def candidates_of(requests: ir.Table, candidates: ir.Table, seed: int) -> ir.Table:
    """The candidates of numbered requests, each with its key in the order of the list (`_order`).

    Exposed items stand first, by position; the others follow in the order of their draw keys, so that any
    number of them from the front is a uniform draw without replacement. `_drawn` tells those of training.
    """
    needed = requests.select("request_id", "_number", "_split", "_samples", "_key_1", "_key_2")
    joined = candidates.mutate(exposed=candidates.exposed.fill_null(False)).inner_join(needed, "request_id")
    draw = item_key(joined.item_id, joined.request_id, (joined["_key_1"], joined["_key_2"]), seed)
    keyed = joined.mutate(
        position=ibis.ifelse(joined.exposed, joined.position, ibis.null("int64")).cast("int32"),
        _order=_order(joined.exposed, joined.position, draw),
        _drawn=~joined.exposed & (joined["_split"] == 0),
    )
    return keyed.drop("request_id", "_split", "_key_1", "_key_2")


def expanded(candidates: ir.Table) -> ir.Table:
    """The first `_samples` items of each list, with `_row`, which tells request and place."""
    order = [candidates["_order"], candidates.item_id]
    placed = candidates.mutate(_place=ibis.row_number().over(group_by="_number", order_by=order))
    kept = placed.filter(placed["_place"] < placed["_samples"])
    return with_row(kept).drop("_place", "_samples", "_order")


def with_row(samples: ir.Table) -> ir.Table:
    """Add `_row`, made of `_number` and `_place`."""
    return samples.mutate(_row=samples["_number"] * LONGEST_LIST + samples["_place"])


def _order(exposed: ir.Column, position: ir.Column, draw: ir.Column) -> ir.Column:
    """One key for position and draw: a single column sorts faster than three."""
    place = position.fill_null(FIRST_DRAW - 1).cast("int64")
    if draw.type().is_integer():
        return ibis.ifelse(exposed, place, draw + FIRST_DRAW)
    return ibis.ifelse(exposed, "0" + place.cast("string").lpad(20, "0"), "1" + draw)
