"""Labels from a request's own events, and the fate of every event that might label."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from corank.samples.config import SampleConfig
from corank.samples.joins import attach

OWN = 0
"""Code of the label source "own": index into `sizes.LABEL_SOURCES`."""

FATES = (
    "labels",
    "without_request",
    "unknown_request",
    "other_request",
    "not_in_list",
    "after_split",
)
"""What becomes of a click or purchase: it labels; it names no request, an unknown one, or one that is not
among the samples' (another domain, no list); its item is not in the list; it came after the split's end."""


def fates(
    events: ir.Table, all_requests: ir.Table, requests: ir.Table, candidates: ir.Table, config: SampleConfig
) -> ir.Table:
    """Every event of a labelling action with its `_fate` and, where it has one, its request's `_number`."""
    labelling = events.filter(events.action.isin(config.label_actions)).select(
        "request_id", "item_id", "timestamp", _purchase=events.action.isin(config.purchase_actions)
    )
    known = all_requests.select("request_id", _known=True)
    chosen = requests.select("request_id", "_number", "_split_end")
    asked = labelling.select("request_id", "item_id").distinct()
    in_list = (
        candidates.select("request_id", "item_id").semi_join(asked, ["request_id", "item_id"]).distinct()
    )
    joined = attach(labelling, known, ["request_id"])
    joined = attach(joined, chosen, ["request_id"])
    joined = attach(joined, in_list.mutate(_in_list=True), ["request_id", "item_id"])
    fate = ibis.cases(
        (joined.request_id.isnull(), "without_request"),
        (joined["_known"].isnull(), "unknown_request"),
        (joined["_number"].isnull(), "other_request"),
        (joined["_in_list"].isnull(), "not_in_list"),
        ((joined.timestamp >= joined["_split_end"]).fill_null(False), "after_split"),
        else_="labels",
    )
    return joined.select("_number", "item_id", "_purchase", _fate=fate)


def own_labels(fates: ir.Table) -> ir.Table:
    """One row a labelled (request, item): a click, and a purchase if any event is one."""
    labelling = fates.filter(fates["_fate"] == "labels")
    pairs = labelling.group_by("_number", "item_id").aggregate(
        label_purchase=labelling["_purchase"].cast("int8").max(),
    )
    return pairs.mutate(label_click=ibis.literal(1, "int8"), label_source=ibis.literal(OWN, "int8"))
