"""A left join that only adds columns."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir


def attach(left: ir.Table, right: ir.Table, on: Sequence[str]) -> ir.Table:
    """The rows of `left` with the other columns of `right`, null where no row has the same keys `on`."""
    others = [name for name in right.columns if name not in on]
    return left.left_join(right, list(on)).select(*left.columns, *others)
