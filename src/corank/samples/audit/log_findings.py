"""What the figures of a log come to."""

from __future__ import annotations

from collections.abc import Iterator

from corank.samples.audit.finding import Finding, Limits, certain, judged, percent, spread, surely
from corank.samples.audit.result import LogAudit
from corank.samples.audit.shared_findings import (
    on_blind_spot,
    on_drift,
    on_gap,
    on_lists,
    on_popularity,
    on_position,
    on_spaces,
)

MISSED = Limits(0.1, 0.25)
EARLY = Limits(0.1, float("inf"))
DRAW = "Draw unexposed items for training (corank samples --recipe unexposed)"
ATTRIBUTE = (
    "Let later behaviour and other channels label (corank samples --recipe attributed, or es3, which makes"
    " training requests of other domains' clicks too)."
)


def log_findings(audit: LogAudit) -> Iterator[Finding]:
    """Every finding, in no order."""
    yield from _conversions(audit)
    yield from _missing(audit)
    yield from on_popularity(audit.exposure, f"{DRAW}; compare models on the slice cold_items.")
    yield from on_position(audit.exposure)
    yield from on_spaces(audit.spaces, audit.config.attribution_hours, ATTRIBUTE)
    used = [one for one in audit.sizes.domains if one.domain in audit.config.domains]
    requests, lists = sum(one.requests for one in used), sum(one.with_list for one in used)
    yield from on_lists(requests - lists, requests, ", ".join(audit.config.domains))
    if audit.drift is None:
        return
    yield from on_drift(audit.drift)
    if "spaces" not in audit.absent:
        exposed, listed = audit.blind_spot
        most = f"; whole lists would bring the share down to {percent(listed.candidates)}."
        yield from on_gap(audit.drift.columns, "exposed rows", f"{DRAW}.")
        yield from on_blind_spot(exposed, "the exposed training rows", DRAW + most)


def _conversions(audit: LogAudit) -> Iterator[Finding]:
    found = audit.conversions
    if found is None:
        advice = "Name the actions that earn money, such as --set purchase_actions=[order]."
        yield certain("watch", "conversions", audit.absent["conversions"], advice)
        return
    missed, scored = found.missed, found.scored
    sentence = (
        f"{missed.count:,} of {missed.of:,} conversions ({spread(missed)}) are invisible to attribution by"
        f" the last search click within {found.hours:g} hours"
    )
    if scored.of:
        sentence += f"; of these {percent(scored)} concern items that search had scored for the user"
    yield judged("conversions.missed", surely(missed), MISSED, sentence + ".", ATTRIBUTE)
    sentence = (
        f"{found.early:,} of {missed.of:,} conversions fall within {found.hours:g} hours of the log's first"
        " search: what led to them may not be in it."
    )
    advice = "Audit a longer log, or take the share missed as an upper bound."
    yield judged("conversions.early", found.early / missed.of, EARLY, sentence, advice)


def _missing(audit: LogAudit) -> Iterator[Finding]:
    if audit.cuts is None:
        yield certain("watch", "drift", audit.absent["drift"], "Give valid_from and test_from.")
    if "spaces" in audit.absent:
        sentence = (
            "The log holds exposed candidates only: what the ranker passed over, and so its bias, cannot be"
            " seen, and the recipe unexposed adds nothing."
        )
        advice = "Log the whole scored list, or a sample of it, with exposed = false."
        yield certain("act", "spaces", sentence, advice)
