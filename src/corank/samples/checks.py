"""Questions put to the log and to the steps' results: what is counted, and what stops a build."""

from __future__ import annotations

import ibis.expr.types as ir

from corank.errors import CorankError, unknown
from corank.logs import LogTables
from corank.samples.attribution import TIERS
from corank.samples.config import Recipe, SampleConfig, reaches
from corank.samples.engine import Engine, Logs
from corank.samples.labels import FATES
from corank.samples.manifest import SPLITS
from corank.samples.split import Cuts

WITHOUT_LABEL = (*(fate for fate in FATES if fate != "labels"), "no_similar")
"""Fates of events that label nothing."""

MOST_ACTIONS = 64
"""More distinct actions than this would make more columns of counts than anyone can want."""


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


def refuse_domains(engine: Engine, logs: Logs, recipe: Recipe, config: SampleConfig) -> None:
    """Stop if a domain to be searchified has no request, or that of unexposed items has any.

    Raises:
        CorankError: one has none, or it has.
    """
    searchified = config.pseudo_domains if reaches(recipe, "es3") else None
    if searchified is None and config.unexposed_domain is None:
        return
    found = engine.arrow(logs.requests.select("domain").distinct())["domain"].to_pylist()
    if config.unexposed_domain is not None and config.unexposed_domain in found:
        raise CorankError(
            f"unexposed_domain = '{config.unexposed_domain}': a domain of the log's requests; expected a name"
            " that none of them has"
        )
    for domain in searchified or ():
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
