"""Labels from a request's own events, and the fate of every event that might label."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from corank.samples.config import Recipe, SampleConfig, reaches
from corank.samples.joins import attach

OWN = 0
"""Code of the label source "own": index into `sizes.LABEL_SOURCES`."""

FATES = (
    "labels",
    "without_request",
    "unknown_request",
    "other_user",
    "other_request",
    "not_in_list",
    "after_split",
    "extra_action",
)
"""What becomes of an event: it labels its own request's sample; it names no request, an unknown one, another
user's, or one that is not among the samples' (another domain, no list); its item is not in the list; it came
after the split's end; its action labels by attribution only."""

LEDGER = ("user_id", "timestamp", "action", "item_id", "domain", "request_id")
"""Columns of an event in the ledger, in the order by which it is sorted."""


def fates(
    events: ir.Table,
    all_requests: ir.Table,
    requests: ir.Table,
    candidates: ir.Table,
    recipe: Recipe,
    config: SampleConfig,
) -> ir.Table:
    """Every event of a labelling action: the `LEDGER` columns, its `_fate` and, where it has one, `_number`.

    `_purchase` tells its level, `_free` whether the action labels away from its own request, too.

    Args:
        events: the event table.
        all_requests: the log's.
        requests: numbered requests of samples.
        candidates: the log's.
        recipe: from `attributed` on, more actions may label.
        config: the actions.
    """
    clicks, purchases = config.free_actions
    free = (*clicks, *purchases) if reaches(recipe, "attributed") else ()
    own = events.action.isin(config.label_actions)
    bought = events.action.isin(config.purchase_actions)
    if free:
        bought = ibis.ifelse(own, bought, events.action.isin(purchases))
    labelling = events.mutate(
        _own=own, _free=events.action.isin(free) if free else ibis.literal(False), _purchase=bought
    )
    labelling = labelling.filter(labelling["_own"] | labelling["_free"]).select(
        *LEDGER, "_own", "_free", "_purchase"
    )
    known = all_requests.select("request_id", _requester="user_id")
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
        (joined["_requester"].isnull(), "unknown_request"),
        (joined["_requester"] != joined.user_id, "other_user"),
        (joined["_number"].isnull(), "other_request"),
        (joined["_in_list"].isnull(), "not_in_list"),
        (~joined["_own"], "extra_action"),
        ((joined.timestamp >= joined["_split_end"]).fill_null(False), "after_split"),
        else_="labels",
    )
    return joined.select(*LEDGER, "_number", "_purchase", "_free", _fate=fate)


def own_labels(fates: ir.Table) -> ir.Table:
    """One row a labelled (request, item): `_number`, `item_id`, and a label as `merged` wants it."""
    labelling = fates.filter(fates["_fate"] == "labels").mutate(_code=ibis.literal(OWN, "int8"))
    code = labelling["_code"]
    return labelling.group_by("_number", "item_id").aggregate(
        label_purchase=labelling["_purchase"].cast("int8").max(),
        label_source=code.min(),
        purchase_source=ibis.ifelse(labelling["_purchase"], code, ibis.null("int8")).min(),
    )


def merged(*labels: ir.Table) -> ir.Table:
    """One row a labelled (`_number`, `item_id`): label_click is 1, sources are the first of each."""
    together = labels[0]
    for more in labels[1:]:
        together = together.union(more.select(*together.columns))
    pairs = together.group_by("_number", "item_id").aggregate(
        label_purchase=together.label_purchase.max(),
        label_source=together.label_source.min(),
        purchase_source=together.purchase_source.min(),
    )
    return pairs.mutate(label_click=ibis.literal(1, "int8"))
