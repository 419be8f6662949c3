"""What is to be known first, and how the audit was made."""

from __future__ import annotations

import json

from corank.report.sections import Point, Section
from corank.samples.audit import Audit, LogAudit

TONES = {"act": "worse", "watch": "watch", "fine": "better"}
"""How a level is coloured."""


def findings_section(audit: Audit) -> Section:
    """The findings, worst first."""
    points = tuple(Point(one.level, TONES[one.level], one.sentence, one.advice) for one in audit.findings)
    notes = ["This log is a simulation, and so are all figures on it."] if audit.simulated else []
    notes.append(
        "Worst first. Act: mend it before training; watch: know of it. Brackets hold 95 % intervals."
        " Shares are of rows unless they say otherwise."
    )
    return Section("findings", "In short", tuple(notes), points=points)


def method_section(audit: Audit) -> Section:
    """Settings, cuts and what intervals mean."""
    cuts = audit.cuts if isinstance(audit, LogAudit) else audit.manifest
    config = audit.config if isinstance(audit, LogAudit) else audit.manifest.config
    notes = [
        "Intervals are Wilson's, at the number of independent rows that the rows are worth: rows of one"
        " user are"
        " alike, and are not counted as independent. They say what other users would show, not other items"
        " or weeks."
    ]
    if cuts:
        notes.insert(
            0,
            f"Training ends at {cuts.valid_from:%Y-%m-%d %H:%M:%S} UTC, test begins at"
            f" {cuts.test_from:%Y-%m-%d %H:%M:%S} UTC.",
        )
    shown = json.dumps(config.model_dump(mode="json"), indent=2, ensure_ascii=False)
    return Section("method", "How it was made", tuple(notes), details=(("Settings", shown),))
