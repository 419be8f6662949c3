"""What the figures of samples come to."""

from __future__ import annotations

from collections.abc import Iterator

from corank.samples.audit.finding import Finding, Limits, judged, percent
from corank.samples.audit.result import SamplesAudit
from corank.samples.audit.shared_findings import (
    on_blind_spot,
    on_drift,
    on_gap,
    on_lists,
    on_popularity,
    on_position,
    on_spaces,
)
from corank.samples.audit.skew import ALL_NEGATIVES
from corank.samples.config import reaches

UNCREDITED = Limits(0.1, 0.25)
SKEW = Limits(0.1, 0.25)
GUESSED = Limits(0.5, 0.8)
LOST = Limits(0.01, 0.05)
LOSING = ("unknown_request", "other_user", "not_in_list")
"""Fates of events that contradict the requests they name."""


def sample_findings(audit: SamplesAudit) -> Iterator[Finding]:
    """Every finding, in no order."""
    manifest = audit.manifest
    draw = "Draw unexposed items for training (corank samples --recipe unexposed)."
    if reaches(manifest.recipe, "unexposed"):
        draw = "Draw more unexposed items (corank samples --set unexposed_per_exposed=...)."
    attribute = "Let later behaviour and other channels label (corank samples --recipe attributed)."
    if reaches(manifest.recipe, "attributed"):
        attribute = (
            "Training has labels of other channels; the test has them in anywhere_click and"
            " anywhere_purchase: read metrics of the entire space with that in mind."
        )
    yield from _purchases(audit)
    yield from _guessed(audit)
    yield from _negatives(audit, draw)
    yield from _lost(audit)
    yield from on_popularity(audit.exposure, f"{draw.rstrip('.')}; compare models on the slice cold_items.")
    yield from on_position(audit.exposure)
    yield from on_spaces(audit.spaces, manifest.config.attribution_hours, attribute)
    yield from on_drift(audit.drift)
    if "spaces" not in audit.absent:
        yield from on_gap(audit.drift.columns, "the training samples", draw)
        yield from on_blind_spot(audit.blind_spot[-1], "the training samples", draw)
    left = manifest.left_out
    requests = left.get("without_candidates", 0) + left.get("without_exposed", 0)
    requests += sum(period.requests for period in audit.drift.periods)
    yield from on_lists(left.get("without_candidates", 0), requests, ", ".join(manifest.config.domains))


def _purchases(audit: SamplesAudit) -> Iterator[Finding]:
    if audit.credits is None:
        return
    labelled, clicked = audit.credits.labelled, audit.credits.last_search_click
    nothing = labelled.of - labelled.count
    sentence = (
        f"{nothing:,} of {labelled.of:,} purchases before validation ({percent(nothing / labelled.of)})"
        " label no sample"
    )
    advice = "Let later behaviour and other channels label (corank samples --recipe attributed)."
    if reaches(audit.manifest.recipe, "attributed"):
        sentence += f"; the last search click alone would credit {percent(clicked)}"
        advice = "Widen the window (--set attribution_hours=...); see in labels.parquet what became of them."
    least = nothing / labelled.of if labelled.high is None else 1 - labelled.high
    yield judged("credits.labelled", least, UNCREDITED, sentence + ".", advice)


def _guessed(audit: SamplesAudit) -> Iterator[Finding]:
    counts = audit.manifest.sizes["train"].label_sources
    positives = sum(counts.values())
    if not reaches(audit.manifest.recipe, "attributed") or not positives:
        return
    guessed = positives - counts.get("own", 0)
    sentence = (
        f"{guessed:,} of {positives:,} positive training samples ({percent(guessed / positives)}) are"
        " labelled by another channel or later behaviour, not by their own request."
    )
    advice = "Weigh them less (attributed_weight, searchified_weight), and compare on the same test."
    yield judged("sources", guessed / positives, GUESSED, sentence, advice)


def _negatives(audit: SamplesAudit, advice: str) -> Iterator[Finding]:
    candidates = audit.skew[0]
    for group in audit.skew:
        if group.group == ALL_NEGATIVES:
            sentence = (
                f"By popularity {percent(group.distance)} of the training negatives would have to be"
                f" others to be like the test candidates (mean decile {group.mean_decile:.1f}, theirs"
                f" {candidates.mean_decile:.1f}): a model may take popularity itself for good or bad."
            )
            yield judged("skew", group.distance, SKEW, sentence, advice)


def _lost(audit: SamplesAudit) -> Iterator[Finding]:
    events = audit.manifest.events
    named = sum(events.values()) - events.get("without_request", 0)
    lost = sum(events.get(fate, 0) for fate in LOSING)
    sentence = (
        f"{lost:,} of {named:,} clicks and purchases that name a request contradict it (unknown request,"
        " other user, item not in its list)."
    )
    advice = "See which rules the log breaks (corank logs check)."
    yield judged("manifest.events", lost / named if named else 0.0, LOST, sentence, advice)
