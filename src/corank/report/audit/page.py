"""An audit as one HTML page: findings first, then the figures behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from corank.files import whole_file
from corank.report.audit.blind_spot import blind_spot_section
from corank.report.audit.conversions import conversions_section
from corank.report.audit.credits import credits_section
from corank.report.audit.drift import drift_section
from corank.report.audit.exposure import exposure_section
from corank.report.audit.findings import findings_section, method_section
from corank.report.audit.popularity import popularity_section
from corank.report.audit.sizes import log_section
from corank.report.audit.spaces import sources_table, spaces_section
from corank.report.page import render
from corank.report.sections import Section
from corank.report.sizes import size_tables
from corank.samples.audit import Audit, LogAudit, SamplesAudit

DEFINITIONS = "Definitions of the figures, and how to read them: docs/reference/audit.md of corank."


def write_audit(audit: Audit, path: Path) -> None:
    """Write the page whole, or not at all.

    Raises:
        CorankError: the folder cannot be written.
    """
    page = audit_page(audit)
    with whole_file(path) as aside:
        aside.write_text(page, encoding="utf-8")


def audit_page(audit: Audit) -> str:
    """The page."""
    sections = list(_of_log(audit) if isinstance(audit, LogAudit) else _of_samples(audit))
    return render(Path(audit.folder).resolve().name, "audit", sections, DEFINITIONS)


def _of_log(audit: LogAudit) -> Iterator[Section]:
    yield findings_section(audit)
    yield log_section(audit)
    yield conversions_section(audit)
    yield exposure_section(audit)
    yield spaces_section(audit)
    yield blind_spot_section(audit)
    yield drift_section(audit)
    yield method_section(audit)


def _of_samples(audit: SamplesAudit) -> Iterator[Section]:
    yield findings_section(audit)
    yield Section("sizes", "The samples", tables=tuple(size_tables(audit.manifest)))
    yield credits_section(audit)
    yield popularity_section(audit)
    yield exposure_section(audit)
    yield spaces_section(audit, (sources_table(audit),))
    yield blind_spot_section(audit)
    yield drift_section(audit)
    yield method_section(audit)
