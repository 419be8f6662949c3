"""Hierarchical attribution: events elsewhere, or later, label samples of the user's earlier requests.

UniScale (arXiv 2603.24226), hierarchical label attribution. A click labels an exposed sample of its item,
else an unexposed one; a purchase labels a clicked sample, else an exposed, else an unexposed one; of several
the latest. An event labels one sample, of a request before it, within a window.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from corank.samples.joins import attach
from corank.samples.timelines import as_of

CLICK_TIERS = {"exposed": "click_exposed", "unexposed": "click_unexposed"}
PURCHASE_TIERS = {
    "clicked": "purchase_clicked",
    "exposed": "purchase_exposed",
    "unexposed": "purchase_unexposed",
}
TIERS = (*CLICK_TIERS.values(), *PURCHASE_TIERS.values())
"""Fates of attributed events, and the sources of their labels: those of clicks first, the best first."""

SPACES = tuple(PURCHASE_TIERS)


def is_free(fates: ir.Table, valid_from: ir.Column) -> ir.BooleanColumn:
    """Whether an event of the training period labels no sample of its own request, and may label another."""
    settled = fates["_fate"].isin(["labels", "after_split"])
    return ~settled & fates["_free"] & (fates.timestamp < valid_from)


def targets(samples: ir.Table, free: ir.Table) -> ir.Table:
    """Training samples that an event might label, with `_step`, their place among those of a user and item.

    Args:
        samples: training samples, with `item_id`, `exposed`, `request_id`, `user_id` and `timestamp`.
        free: the free events.
    """
    wanted = samples.semi_join(free, ["user_id", "item_id"])
    order = [wanted.timestamp, wanted.request_id]
    return wanted.mutate(_step=1 + ibis.row_number().over(group_by=["user_id", "item_id"], order_by=order))


def attributed(free: ir.Table, targets: ir.Table, own: ir.Table, window: int) -> ir.Table:
    """The free events; `_fate` becomes the tier and `_number` the labelled request's where there is one.

    Args:
        free: the free events.
        targets: as `targets` gives them, those that are not relevant left out.
        own: own labels: `_number`, `item_id`, `timestamp`.
        window: microseconds after the request.
    """
    by = ["user_id", "item_id"]
    latest = {f"_{space}{what}": ("max", f"_{space}{what}") for space in SPACES for what in ("", "_time")}
    told = as_of(free.drop("_number"), _timeline(targets, own), by, latest)
    steps = {space: _within(told, space, window) for space in SPACES}
    step = ibis.coalesce(
        ibis.ifelse(told["_purchase"], steps["clicked"], ibis.null("int64")),
        steps["exposed"],
        steps["unexposed"],
    )
    fate = ibis.cases(
        *(
            ((told["_purchase"] & steps[space].notnull()).fill_null(False), tier)
            for space, tier in PURCHASE_TIERS.items()
        ),
        *(
            ((~told["_purchase"] & steps[space].notnull()).fill_null(False), tier)
            for space, tier in CLICK_TIERS.items()
        ),
        else_=told["_fate"],
    )
    kept = [name for name in free.columns if name not in ("_number", "_fate")]
    found = told.select(*kept, _fate=fate, _step=step)
    return attach(found, targets.select(*by, "_step", "_number"), [*by, "_step"]).select(*free.columns)


def attributed_labels(attributed: ir.Table) -> ir.Table:
    """One row a labelled (request, item), as `labels.merged` wants it."""
    labelling = attributed.filter(attributed["_fate"].isin(TIERS))
    code = ibis.cases(
        *((labelling["_fate"] == tier, 1 + index) for index, tier in enumerate(TIERS)),
        else_=ibis.null("int8"),
    ).cast("int8")
    return labelling.group_by("_number", "item_id").aggregate(
        label_purchase=labelling["_purchase"].cast("int8").max(),
        label_source=code.min(),
        purchase_source=ibis.ifelse(labelling["_purchase"], code, ibis.null("int8")).min(),
    )


def _timeline(targets: ir.Table, own: ir.Table) -> ir.Table:
    """What becomes known about a user and item, and when: a request with the item, a click on it.

    `_SPACE` is the sample's step where it belongs to that tier, `_SPACE_time` its request's time.
    """
    first = own.group_by("_number", "item_id").aggregate(_clicked_at=own.timestamp.min())
    clicked = targets.inner_join(first, ["_number", "item_id"])
    # A log may hold clicks from before their request; the request is not known before its own time.
    known = ibis.greatest(clicked["_clicked_at"], clicked.timestamp)
    served = _entries(targets, targets.timestamp, {"exposed": targets.exposed, "unexposed": ~targets.exposed})
    return served.union(_entries(clicked, known, {"clicked": ibis.literal(True)}))


def _entries(rows: ir.Table, timestamp: ir.Column, spaces: dict[str, ir.Column]) -> ir.Table:
    columns: dict[str, ir.Column] = {}
    for space in SPACES:
        belongs = spaces.get(space, ibis.literal(False))
        columns[f"_{space}"] = ibis.ifelse(belongs, rows["_step"], ibis.null("int64"))
        columns[f"_{space}_time"] = ibis.ifelse(belongs, rows.timestamp, ibis.null(rows.timestamp.type()))
    return rows.select("user_id", "item_id", timestamp=timestamp, **columns)


def _within(told: ir.Table, space: str, window: int) -> ir.Column:
    """The step of a tier's latest sample, null where its request lies too far back."""
    age = told.timestamp.delta(told[f"_{space}_time"], unit="microsecond")
    return ibis.ifelse(age <= window, told[f"_{space}"], ibis.null("int64"))
