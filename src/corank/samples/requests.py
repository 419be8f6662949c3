"""Requests that become samples: of the wanted domains, with a list, numbered in a seeded shuffle."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from corank.samples.config import Recipe, SampleConfig, reaches
from corank.samples.draws import request_key


def listed(requests: ir.Table, candidates: ir.Table, domains: Sequence[str]) -> ir.Table:
    """Requests of the domains that have candidates, with `_listed` and `_exposed`, how many they have."""
    wanted = ("request_id", "user_id", "session_id", "timestamp", "query")
    columns = [name for name in wanted if name in requests.columns]
    sizes = candidates.group_by("request_id").aggregate(
        _listed=candidates.count(), _exposed=candidates.exposed.fill_null(False).cast("int64").sum()
    )
    return requests.filter(requests.domain.isin(domains)).select(*columns).inner_join(sizes, "request_id")


def numbered(requests: ir.Table, recipe: Recipe, config: SampleConfig, seed: int) -> ir.Table:
    """Add `_samples`, drop requests without any, and number the rest (`_number`, from 0).

    Training requests keep their exposed items and, from the recipe `unexposed` on, `unexposed_per_exposed`
    times as many others (a half is rounded up); later splits keep the entire list. `_shuffle` is their key in
    the seeded order of the store, `_key_1` and `_key_2` are what `draws.item_key` wants.
    """
    extra = ibis.literal(0)
    if reaches(recipe, "unexposed"):
        wanted = (requests["_exposed"] * config.unexposed_per_exposed + 0.5).floor().cast("int64")
        extra = ibis.least(wanted, requests["_listed"] - requests["_exposed"])
    samples = ibis.ifelse(requests["_split"] == 0, requests["_exposed"] + extra, requests["_listed"])
    keyed = requests.mutate(
        _samples=samples,
        _shuffle=request_key(requests.request_id, seed, "shuffle"),
        _key_1=request_key(requests.request_id, seed, "draw-1"),
        _key_2=request_key(requests.request_id, seed, "draw-2"),
    ).filter(ibis._["_samples"] > 0)
    order = [keyed["_split"], keyed["_shuffle"], keyed.request_id]
    return keyed.mutate(_number=ibis.row_number().over(order_by=order)).drop("_listed", "_exposed")


def ordered(requests: ir.Table) -> ir.Table:
    """Where each request stands in the store: `_number`, `_split`, `_samples`, `_place`, `_begin`.

    Splits follow one another, shuffled within each; `_begin` is the place of the request's first sample, had
    every sample a row.

    Args:
        requests: `_number`, `request_id`, `_split`, `_shuffle`, `_samples` and `_pseudo`, the item that a
            pseudo request is about; `_portion`, if there, is kept. A list set apart has the request's id
            and a later number.
    """
    order = [requests[name] for name in ("_split", "_shuffle", "request_id", "_pseudo", "_number")]
    kept = [name for name in ("_number", "_split", "_samples", "_portion") if name in requests.columns]
    placed = requests.select(*kept, _place=ibis.row_number().over(order_by=order))
    earlier = ibis.window(order_by="_place", rows=(None, 0))
    return placed.mutate(_begin=placed["_samples"].sum().over(earlier) - placed["_samples"])
