"""Searchification: clicks of other domains become pseudo-search requests of the training split.

UniScale (arXiv 2603.24226), cross-domain searchification. Each click on an item of a source request (a feed,
a shop's page...) makes one pseudo request: the item, and the most similar items that the source showed and
that were not clicked. Everything about it is as of the source request's time.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.attribution import TIERS
from corank.samples.joins import attach

SEARCHIFIED = 1 + len(TIERS)
"""Code of the label source "searchified"."""

FIRST_NUMBER = 1 << 36
"""Pseudo requests of shard k are numbered from (k + 1) times this."""

PAIR = ["request_id", "item_id"]


def source_clicks(attributed: ir.Table, sources: ir.Table, candidates: ir.Table) -> ir.Table:
    """Distinct (`request_id`, `item_id`) that become pseudo requests if anything similar was shown.

    Args:
        attributed: the free events, after attribution.
        sources: requests that may be sources: `request_id`, `user_id`, `timestamp`.
        candidates: the log's.
    """
    clicks = attributed.filter(attributed["_fate"] == "other_request", ~attributed["_purchase"])
    shown = candidates.filter(candidates.exposed.fill_null(False)).select(*PAIR)
    named = clicks.select(*PAIR).distinct()
    return named.inner_join(sources, "request_id").semi_join(shown, PAIR)


def possible_negatives(
    clicks: ir.Table, candidates: ir.Table, fates: ir.Table, valid_from: ir.Column
) -> ir.Table:
    """Pairs of a clicked item and one shown beside it, unclicked: `request_id`, `item_id`, `_other`."""
    own = fates.filter(fates["_fate"] != "other_user")
    happened = own.filter(own.request_id.notnull(), own.timestamp < valid_from).select(*PAIR).distinct()
    shown = candidates.filter(candidates.exposed.fill_null(False)).select(*PAIR)
    unclicked = shown.semi_join(clicks, "request_id").anti_join(happened, PAIR)
    pairs = clicks.select(*PAIR).inner_join(unclicked.rename(_other="item_id"), "request_id")
    return pairs.select(*PAIR, "_other")


def negatives(scored: ir.Table, above: float, most: int) -> ir.Table:
    """The most similar of the pairs, with `_place` from 1, ties by item.

    Args:
        scored: `request_id`, `item_id`, `_other` and `_score`, null where unknown.
        above: the score of a negative is above.
        most: negatives of a click, at most.
    """
    alike = scored.filter((scored["_score"] > above).fill_null(False))
    order = [alike["_score"].desc(), alike["_other"]]
    placed = alike.mutate(_place=1 + ibis.row_number().over(group_by=PAIR, order_by=order))
    return placed.filter(placed["_place"] <= most).select(*PAIR, "_other", "_place")


def pseudo_requests(clicks: ir.Table, negatives: ir.Table, first: int) -> ir.Table:
    """The clicks that have negatives, with `_number` (from `first`) and `_samples`, those of each."""
    sizes = negatives.group_by(PAIR).aggregate(_samples=1 + negatives.count())
    joined = clicks.inner_join(sizes, PAIR)
    order = [joined.request_id, joined.item_id]
    return joined.mutate(_number=first + ibis.row_number().over(order_by=order))


def pseudo_samples(
    pseudo: ir.Table, negatives: ir.Table, candidates: ir.Table, columns: Sequence[str]
) -> ir.Table:
    """The clicked item first, then the negatives: `_number`, `_place` and `columns`.

    Args:
        pseudo: as `pseudo_requests` gives them.
        negatives: as `negatives` gives them.
        candidates: entire lists of the sources, with ranks.
        columns: those to keep, `item_id` among them.
    """
    positives = pseudo.select("_number", *PAIR, _place=ibis.literal(0, "int64"))
    others = negatives.inner_join(pseudo.select("_number", *PAIR), PAIR)
    members = positives.union(
        others.select(
            "_number", "request_id", item_id=others["_other"], _place=others["_place"].cast("int64")
        )
    )
    return members.inner_join(candidates, PAIR).select("_number", "_place", *columns)


def pseudo_labels(pseudo: ir.Table, attributed: ir.Table, fates: ir.Table, valid_from: ir.Column) -> ir.Table:
    """The labels of the clicked items, as `labels.merged` wants them.

    A purchase of the item that names the source labels too, unless it was attributed.
    """
    taken = attributed.filter(attributed["_fate"].isin(TIERS))
    own = fates.filter(fates["_fate"] != "other_user", fates.request_id.notnull())
    purchases = own.filter(own["_purchase"], own.timestamp < valid_from)
    # Rows equal in these columns are the same event, and have one fate.
    same = ["user_id", "item_id", "timestamp", "action", "domain", "request_id"]
    left = purchases.select(*same).anti_join(taken.select(*same), same)
    bought = left.select(*PAIR).distinct().mutate(_bought=True)
    rows = attach(pseudo.select("_number", *PAIR), bought, PAIR)
    code = ibis.literal(SEARCHIFIED, "int8")
    return rows.select(
        "_number",
        "item_id",
        label_purchase=rows["_bought"].fill_null(False).cast("int8"),
        label_source=code,
        purchase_source=ibis.ifelse(rows["_bought"].fill_null(False), code, ibis.null("int8")),
    )


def final_fates(attributed: ir.Table, clicks: ir.Table, pseudo: ir.Table) -> ir.Table:
    """The free events after searchification: of those left, `searchified` with `_number`, or `no_similar`."""
    asked = clicks.select(*PAIR, _asked=True)
    made = pseudo.select(*PAIR, _made=pseudo["_number"])
    rows = attach(attach(attributed, asked, PAIR), made, PAIR)
    left = (rows["_fate"] == "other_request") & ~rows["_purchase"] & rows["_asked"].fill_null(False)
    fate = ibis.cases(
        (left & rows["_made"].notnull(), "searchified"),
        (left, "no_similar"),
        else_=rows["_fate"],
    )
    number = ibis.ifelse(fate == "searchified", rows["_made"], rows["_number"])
    others = [name for name in attributed.columns if name not in ("_fate", "_number")]
    return rows.select(*others, _fate=fate, _number=number).select(*attributed.columns)
