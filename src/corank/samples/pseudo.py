"""The pseudo requests of a plan: sources, negatives, queries, samples and labels put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from corank.samples.draws import request_key
from corank.samples.engine import Logs
from corank.samples.expansion import with_row
from corank.samples.joins import attach
from corank.samples.nearest import nearest_by_vectors, nearest_by_words
from corank.samples.plan import Plan
from corank.samples.queries import cooccurring_query, nearest_query, own_query, with_queries
from corank.samples.ranks import with_ranks
from corank.samples.scores import with_score
from corank.samples.searchification import (
    FIRST_NUMBER,
    final_fates,
    negatives,
    possible_negatives,
    pseudo_labels,
    pseudo_requests,
    pseudo_samples,
    source_clicks,
)


@dataclass(frozen=True)
class Pseudo:
    """Pseudo requests as rows like those of search requests.

    Attributes:
        requests, samples, labels: as for search requests; requests with `query` and `query_source`.
        fates: the free events with their last fate.
    """

    requests: ir.Table
    samples: ir.Table
    labels: ir.Table
    fates: ir.Table


def searchified(
    plan: Plan, logs: Logs, fates: ir.Table, attributed: ir.Table, columns: Sequence[str], shard: int
) -> Pseudo:
    """Make the pseudo requests of the users of a shard.

    Args:
        plan: the build's.
        logs: the shard's.
        fates: first fates of the shard's events.
        attributed: its free events, after attribution.
        columns: those of a sample that come from candidates.
        shard: its number.
    """
    engine, config = plan.engine, plan.config
    sources = plan.sources(logs.requests)
    clicks = engine.keep("source_clicks", source_clicks(attributed, sources, logs.candidates))
    lists = engine.keep("source_lists", logs.candidates.semi_join(clicks, "request_id"))
    pairs = possible_negatives(clicks, lists, fates, plan.valid_from)
    assert plan.texts.similarity is not None
    scored = with_score(pairs, plan.texts.similarity, "item_id", "_other", "both")
    found = engine.keep("negatives", negatives(scored, config.similar_above, config.pseudo_negatives))
    first = (1 + shard) * FIRST_NUMBER
    pseudo = engine.keep("pseudo", pseudo_requests(clicks, found, first))
    ranked = with_ranks(_positions(lists), plan.ranked, by="request_id")
    samples = pseudo_samples(pseudo, found, ranked, columns)
    assert plan.known is not None
    asked = with_queries(pseudo, _queries(plan, pseudo), config.query_levels)
    first_with_it = plan.known.select("query", _embedded="_request")
    requests = attach(asked, first_with_it, ["query"]).mutate(
        _split=ibis.literal(0, "int8"),
        _split_end=plan.valid_from.cast(plan.requests["_split_end"].type()),
        _shuffle=request_key(pseudo.request_id, plan.seed, "shuffle"),
        _pseudo=pseudo.item_id,
    )
    return Pseudo(
        requests=requests.drop("item_id"),
        samples=with_row(samples).drop("_place").mutate(_drawn=ibis.literal(False)),
        labels=pseudo_labels(pseudo, attributed, fates, plan.valid_from),
        fates=final_fates(attributed, clicks, pseudo),
    )


def _positions(candidates: ir.Table) -> ir.Table:
    """Candidates as the steps want them: exposed known, a position for exposed items only."""
    exposed = candidates.exposed.fill_null(False)
    return candidates.mutate(
        exposed=exposed, position=ibis.ifelse(exposed, candidates.position, ibis.null("int64")).cast("int32")
    )


def _queries(plan: Plan, pseudo: ir.Table) -> dict[str, ir.Table]:
    """Level -> the queries found there; the nearest one is sought only where the levels before gave none."""
    engine, levels = plan.engine, plan.config.query_levels
    assert plan.led is not None
    asks = pseudo.select("_number", "user_id", "item_id", "timestamp")
    found: dict[str, ir.Table] = {}
    for level in levels:
        if level == "own":
            made = own_query(asks, plan.led)
        elif level == "cooccurring":
            made = cooccurring_query(asks, plan.led)
        else:
            left = asks
            for earlier in found.values():
                left = left.anti_join(earlier, "_number")
            made = _nearest(plan, left)
        found[level] = engine.keep(f"query_{level}", made)
    return found


def _nearest(plan: Plan, asks: ir.Table) -> ir.Table:
    assert plan.known is not None
    assert plan.texts.nearest is not None
    known = plan.known.filter(plan.known["_rank"] < plan.config.nearest_queries).drop("_rank")
    nearest = nearest_by_vectors if plan.texts.nearest.column == "_vector" else nearest_by_words
    return nearest_query(asks, nearest(asks.select("item_id").distinct(), known, plan.texts.nearest))
