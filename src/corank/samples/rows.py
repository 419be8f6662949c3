"""What the store's rows are made of: flat requests and flat samples."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.attribution import TIERS
from corank.samples.config import SampleConfig
from corank.samples.joins import attach
from corank.samples.labels import OWN
from corank.samples.searchification import SEARCHIFIED

OF_EVERYONE = ("item_clicks", "item_shown")
"""Columns of samples that everyone's events tell, and not the user's alone."""

ORDER_COLUMNS = ("_number", "_split", "_shuffle", "_samples", "_pseudo")
"""What `requests.ordered` needs besides the request's id."""


def request_rows(
    requests: ir.Table,
    own_requests: ir.Table,
    all_requests: ir.Table,
    users: ir.Table,
    columns: Sequence[str],
) -> ir.Table:
    """The requests with context, the user's attributes and the length of their history.

    Args:
        requests: stored requests, pseudo requests among them, with `query`, `query_source` and `_embedded`,
            the request whose query_embedding is theirs.
        own_requests: the log's of the same users, for the columns of context.
        all_requests: the log's, for embeddings, which may be of another user's request.
        users: the log's.
        columns: those of the store; all but `history_offset` are made here.
    """
    named = users.rename({f"user_{column}": column for column in users.columns if column != "user_id"})
    own = requests.select(
        "request_id", "query", "query_source", "history_length", "_embedded", *ORDER_COLUMNS
    )
    of_query = [name for name in ("query", "query_embedding") if name in all_requests.columns]
    rows = attach(own.inner_join(own_requests.drop(*of_query), "request_id"), named, ["user_id"])
    if "query_embedding" in of_query:
        embeddings = all_requests.select("query_embedding", _embedded="request_id")
        rows = attach(rows, embeddings, ["_embedded"])
    kept = [name for name in columns if name != "history_offset"]
    return rows.select(*kept, *ORDER_COLUMNS)


def sample_rows(
    samples: ir.Table,
    labels: ir.Table,
    computed: Sequence[ir.Table],
    columns: Sequence[str],
    config: SampleConfig,
) -> ir.Table:
    """The samples with labels and what other steps computed, and `_number` and `_row`.

    Args:
        samples: kept candidates, with `_row`, `_number` and `_drawn`.
        labels: at most one row a (`_number`, `item_id`).
        computed: tables of at most one row a `_row`; where a row is absent, labels and counts of touches and
            exposures are 0 and other columns null.
        columns: those of the store; all but `OF_EVERYONE` are made here.
        config: the weights.
    """
    rows = attach(samples, labels, ["_number", "item_id"])
    for table in computed:
        rows = attach(rows, table, ["_row"])
    counts = [name for name in columns if name.startswith(("user_touches", "session_touches"))]
    counts += [name for name in columns if name == "user_shown"]
    absent = {name: rows[name].fill_null(0) for name in ("label_click", "label_purchase", *counts)}
    zero = ibis.literal(0, "int8")
    anywhere = {
        f"anywhere_{what}": ibis.greatest(
            rows[f"anywhere_{what}"].fill_null(zero), (rows[source] == OWN).fill_null(False).cast("int8")
        )
        for what, source in (("click", "label_source"), ("purchase", "purchase_source"))
    }
    weight = ibis.cases(
        (rows["_drawn"] & rows.label_source.isnull(), config.unexposed_weight),
        ((rows.label_source == SEARCHIFIED).fill_null(False), config.searchified_weight),
        ((rows.label_source.between(1, len(TIERS))).fill_null(False), config.attributed_weight),
        else_=1.0,
    )
    told = rows.mutate(**absent, **anywhere, weight=weight.cast("float32"))
    return told.select(*(name for name in columns if name not in OF_EVERYONE), "_number", "_row")
