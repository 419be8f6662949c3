"""Questions put to the log and to the steps' results: what is counted, and what stops a build."""

from __future__ import annotations

from collections.abc import Iterator

import ibis.expr.types as ir

from corank.errors import CorankError, unknown
from corank.logs import LogTables
from corank.samples.attribution import TIERS
from corank.samples.config import Recipe, SampleConfig, reaches
from corank.samples.draws import shard_of
from corank.samples.engine import Engine, Logs
from corank.samples.expansion import LONGEST_LIST
from corank.samples.labels import FATES
from corank.samples.manifest import SPLITS
from corank.samples.split import Cuts

WITHOUT_LABEL = (*(fate for fate in FATES if fate != "labels"), "no_similar")
"""Fates of events that label nothing."""

MOST_ACTIONS = 64
"""More distinct actions than this would make more columns of counts than anyone can want."""


def refuse_duplicates(
    engine: Engine, tables: LogTables, logs: Logs, config: SampleConfig, rounds: int
) -> None:
    """Stop if a request, item, user or candidate has two rows, which would double what is joined to it.

    Events may be there twice if the configuration keeps them. Candidates and events are grouped in so many
    rounds, each with some of the requests or users.

    Raises:
        CorankError: one has.
    """
    for name, key in (("requests", "request_id"), ("items", "item_id"), ("users", "user_id")):
        table = getattr(logs, name)
        sizes = table.group_by(key).aggregate(_rows=table.count())
        rows = sizes["_rows"]
        count = engine.one(
            sizes.aggregate(
                rows=rows.sum(), known=rows.sum(where=sizes[key].notnull()), ids=sizes[key].count()
            )
        )
        if count["ids"] < count["rows"]:
            what = "nulls" if count["known"] < count["rows"] else "duplicates"
            raise CorankError(
                f"{tables.path(name)}: {key} has {what} ({count['rows']} rows, {count['ids']} distinct ids);"
                " see: corank logs check"
            )
    found = _lists(engine, logs, rounds)
    if found["repeated"]:
        raise CorankError(
            f"{tables.path('candidates')}: item_id has duplicates or nulls in {found['repeated']}"
            " lists; see: corank logs check"
        )
    if found["longest"] >= LONGEST_LIST:
        raise CorankError(
            f"{tables.path('candidates')}: a list of {found['longest']} items;"
            f" expected fewer than {LONGEST_LIST}"
        )
    if config.duplicate_events == "refuse":
        _refuse_duplicate_events(engine, tables, logs, rounds)


def _lists(engine: Engine, logs: Logs, rounds: int) -> dict[str, int]:
    """How many lists hold an item twice or none at a place, and the length of the longest."""
    repeated = longest = 0
    for own in _in_rounds(logs.candidates, "request_id", rounds):
        lists = own.group_by("request_id").aggregate(rows=own.count(), items=own.item_id.nunique())
        found = engine.one(
            lists.aggregate(repeated=(lists.rows > lists["items"]).sum(), longest=lists.rows.max())
        )
        repeated, longest = repeated + (found["repeated"] or 0), max(longest, found["longest"] or 0)
    return {"repeated": repeated, "longest": longest}


def _in_rounds(table: ir.Table, key: str, rounds: int) -> Iterator[ir.Table]:
    """The rows, in so many parts, those of one key together."""
    if rounds == 1:
        yield table
        return
    for index in range(rounds):
        # Rows without a key belong to the first.
        yield table.filter(shard_of(table[key], rounds).fill_null(0) == index)


def _refuse_duplicate_events(engine: Engine, tables: LogTables, logs: Logs, rounds: int) -> None:
    same = ("user_id", "item_id", "timestamp", "action", "domain", "request_id")
    again = 0
    for own in _in_rounds(logs.events, "user_id", rounds):
        sizes = own.group_by(*same).aggregate(rows=own.count())
        again += engine.one(sizes.aggregate(again=(sizes.rows - 1).sum()))["again"] or 0
    if again:
        raise CorankError(
            f"{tables.path('events')}: {again} rows repeat an event (same user, item, time, action,"
            " domain and request); see: corank logs check, or keep them with duplicate_events=keep"
        )


def touch_actions(
    engine: Engine, tables: LogTables, logs: Logs, recipe: Recipe, config: SampleConfig
) -> tuple[str, ...]:
    """The actions that get counts of their own, sorted; every one that is configured must occur.

    Raises:
        CorankError: a configured action does not occur, or there are too many or no events.
    """
    distinct = logs.events.select("action").distinct()
    found = sorted(text for text in engine.arrow(distinct)["action"].to_pylist() if text is not None)
    if not found:
        raise CorankError(f"{tables.path('events')}: no events: nothing to learn from")
    asked = {
        "click_actions": config.click_actions,
        "history_actions": config.history_actions or (),
        "touch_actions": config.touch_actions or (),
    }
    if reaches(recipe, "attributed"):
        asked["attributed_click_actions"] = config.attributed_click_actions or ()
        asked["attributed_purchase_actions"] = config.attributed_purchase_actions or ()
    for key, actions in asked.items():
        for action in actions:
            if action not in found:
                raise unknown("action", action, found, where=f"{key} (table events)")
    if config.touch_actions is not None:
        return config.touch_actions
    if len(found) > MOST_ACTIONS:
        raise CorankError(
            f"{tables.path('events')}: {len(found)} distinct actions, more than {MOST_ACTIONS};"
            " name those to count in touch_actions"
        )
    return tuple(found)


def refuse_unknown_domains(engine: Engine, logs: Logs, recipe: Recipe, config: SampleConfig) -> None:
    """Stop if a domain to be searchified has no request.

    Raises:
        CorankError: one has none.
    """
    if not reaches(recipe, "es3") or config.pseudo_domains is None:
        return
    found = engine.arrow(logs.requests.select("domain").distinct())["domain"].to_pylist()
    for domain in config.pseudo_domains:
        if domain not in found:
            known = [name for name in found if name is not None]
            raise unknown("domain", domain, known, where="pseudo_domains (table requests)")


def no_requests(engine: Engine, tables: LogTables, logs: Logs, config: SampleConfig) -> CorankError:
    """The error for a log none of whose requests is of the wanted domains and has candidates."""
    domains = engine.arrow(logs.requests.select("domain").distinct())["domain"].to_pylist()
    for domain in config.domains:
        if domain not in domains:
            return unknown(
                "domain", domain, [d for d in domains if d is not None], where="domains (table requests)"
            )
    return CorankError(
        f"{tables.path('candidates')}: no candidates for any request of {', '.join(config.domains)}"
    )


def refuse_empty(engine: Engine, requests: ir.Table, cuts: Cuts) -> None:
    """Stop if a split has no requests with samples.

    Raises:
        CorankError: one has none.
    """
    counts = {name: (requests["_split"] == index).sum() for index, name in enumerate(SPLITS)}
    found = engine.one(requests.aggregate(**counts))
    for name in SPLITS:
        if not found[name]:
            raise CorankError(
                f"split {name} would have no requests with samples (valid_from {cuts.valid_from.isoformat()},"
                f" test_from {cuts.test_from.isoformat()})"
            )


def left_out(
    engine: Engine, logs: Logs, found: ir.Table, requests: ir.Table, config: SampleConfig
) -> dict[str, int]:
    """Requests that are not in the store, by reason."""
    inside = logs.requests.domain.isin(config.domains).fill_null(False)
    total = engine.one(logs.requests.aggregate(rows=logs.requests.count(), inside=inside.sum()))
    listed = engine.one(found.aggregate(rows=found.count()))["rows"]
    used = engine.one(requests.aggregate(rows=requests.count()))["rows"]
    return {
        "other_domain": total["rows"] - total["inside"],
        "without_candidates": total["inside"] - listed,
        "without_exposed": listed - used,
    }


def fate_counts(engine: Engine, fates: ir.Table) -> dict[str, int]:
    """Labelling events by what became of them."""
    counts = engine.arrow(fates.group_by("_fate").aggregate(_events=fates.count())).to_pylist()
    return dict.fromkeys((*FATES, *TIERS, "no_similar", "searchified"), 0) | {
        row["_fate"]: row["_events"] for row in counts
    }
