"""How recently an item was touched, among the distinct items its user touched.

The order is 1 + the number of distinct items touched after the item's last touch, at step p, and before the
request, after q steps: the events in (p, q], less those that repeat an item touched within (p, q]. A repeat
is a pair (v, k) of successive touches of one item, and counts if p < v and k <= q. To compare every sample
with every repeat of its user would take time quadratic in the length of a history, so the n steps of a user
are cut into blocks of about sqrt(n): repeats that lie in other blocks than p and q are counted once for all
pairs of blocks, the rest are met one by one, at most two blocks' worth for a sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.joins import attach


def with_touch_order(samples: ir.Table, events: ir.Table, scope: Sequence[str], name: str) -> ir.Table:
    """Add the column `name`, 1 for the item touched last.

    Args:
        samples: columns of the scope, `_row`, `_last` (step of the item's last touch) and
            `_before` (number of steps before the request).
        events: columns of the scope, `item_id` and `_step` (from 1 in each scope).
        scope: columns that name the user, or the user and the session.
        name: the new column.
    """
    by = list(scope)
    widths = events.group_by(by).aggregate(_width=events.count().cast("float64").sqrt().ceil().cast("int64"))
    repeats = _repeats(events, by).inner_join(widths, by)
    repeats = repeats.mutate(
        _first_block=_block(repeats["_first"], repeats["_width"]),
        _again_block=_block(repeats["_again"], repeats["_width"]),
    )
    asked = samples.select(*by, "_row", "_last", "_before").inner_join(widths, by)
    asked = asked.mutate(
        _last_block=_block(asked["_last"], asked["_width"]),
        _before_block=_block(asked["_before"], asked["_width"]),
    )
    met = ibis.union(_in_last_block(asked, repeats, by), _in_before_block(asked, repeats, by))
    met = met.union(_between_blocks(asked, repeats, _boundaries(events, widths, by), by))
    repeated = met.group_by("_row").aggregate(_repeated=met["_count"].sum())
    joined = attach(samples, repeated, ["_row"])
    order = 1 + joined["_before"] - joined["_last"] - joined["_repeated"].fill_null(0)
    return joined.select(*samples.columns, **{name: order})


def _block(step: ir.Column, width: ir.Column) -> ir.Column:
    return (step / width).floor().cast("int64")


def _repeats(events: ir.Table, by: Sequence[str]) -> ir.Table:
    """Successive touches of one item: steps `_first` and `_again`."""
    touches = ibis.window(group_by=[*by, "item_id"], order_by="_step")
    pairs = events.select(*by, _again=events["_step"], _first=events["_step"].lag().over(touches))
    return pairs.filter(pairs["_first"].notnull())


def _in_last_block(asked: ir.Table, repeats: ir.Table, by: Sequence[str]) -> ir.Table:
    """Repeats whose first touch lies in the same block as the item's last."""
    keys = [asked[column] == repeats[column] for column in by]
    return asked.inner_join(
        repeats,
        [
            *keys,
            asked["_last_block"] == repeats["_first_block"],
            repeats["_first"] > asked["_last"],
            repeats["_again"] <= asked["_before"],
        ],
    ).select(asked["_row"], _count=ibis.literal(1, "int64"))


def _in_before_block(asked: ir.Table, repeats: ir.Table, by: Sequence[str]) -> ir.Table:
    """Repeats that begin in a later block than that and end in the request's own."""
    keys = [asked[column] == repeats[column] for column in by]
    return asked.inner_join(
        repeats,
        [
            *keys,
            asked["_before_block"] == repeats["_again_block"],
            repeats["_first_block"] > asked["_last_block"],
            repeats["_again"] <= asked["_before"],
        ],
    ).select(asked["_row"], _count=ibis.literal(1, "int64"))


def _boundaries(events: ir.Table, widths: ir.Table, by: Sequence[str]) -> ir.Table:
    """The blocks of each scope but the first (0), from the event that opens each."""
    sized = events.select(*by, "_step").inner_join(widths, list(by))
    opening = sized.filter(sized["_step"] % sized["_width"] == 0)
    return opening.select(*by, _open=_block(opening["_step"], opening["_width"]))


def _between_blocks(asked: ir.Table, repeats: ir.Table, opening: ir.Table, by: Sequence[str]) -> ir.Table:
    """Repeats that begin in a later block than the last touch and end in an earlier one than the request."""
    cells = repeats.group_by(*by, "_first_block", "_again_block").aggregate(_count=repeats.count())
    later = opening.rename(_close="_open")
    pairs = opening.inner_join(
        later, [*(opening[column] == later[column] for column in by), opening["_open"] < later["_close"]]
    ).select(*(opening[column] for column in by), "_open", "_close")
    grid = pairs.left_join(
        cells,
        [
            *(pairs[column] == cells[column] for column in by),
            pairs["_open"] == cells["_first_block"],
            pairs["_close"] == cells["_again_block"] + 1,
        ],
    ).select(*(pairs[column] for column in by), "_open", "_close", _cell=cells["_count"].fill_null(0))
    # Each entry becomes the sum over all blocks that open no earlier and close no later.
    closed = ibis.window(group_by=[*by, "_open"], order_by="_close", rows=(None, 0))
    grid = grid.mutate(_row=grid["_cell"].sum().over(closed))
    opened = ibis.window(group_by=[*by, "_close"], order_by=grid["_open"].desc(), rows=(None, 0))
    grid = grid.mutate(_sum=grid["_row"].sum().over(opened))
    return asked.inner_join(
        grid,
        [
            *(asked[column] == grid[column] for column in by),
            asked["_last_block"] + 1 == grid["_open"],
            asked["_before_block"] == grid["_close"],
        ],
    ).select(asked["_row"], _count=grid["_sum"])
