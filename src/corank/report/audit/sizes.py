"""A log in numbers, by domain."""

from __future__ import annotations

from corank.report.audit.cells import gaps
from corank.report.sections import Cell, Section, Table
from corank.samples.audit import LogAudit
from corank.samples.audit.finding import percent


def log_section(audit: LogAudit) -> Section:
    """Requests, candidates and events."""
    domains = tuple(
        (
            Cell(one.domain),
            Cell(f"{one.requests:,}"),
            Cell(f"{one.with_list:,}"),
            Cell(f"{one.candidates:,}"),
            Cell(f"{one.candidates / one.with_list:.1f}" if one.with_list else ""),
            Cell(percent(one.exposed)),
        )
        for one in audit.sizes.domains
    )
    actions = list(dict.fromkeys(action for counts in audit.sizes.events.values() for action in counts))
    events = tuple(
        (Cell(domain), *(Cell(f"{counts.get(action, 0):,}") for action in actions))
        for domain, counts in audit.sizes.events.items()
    )
    header = ("Domain", "Requests", "With a list", "Candidates", "A list", "Shown")
    tables = [
        Table(
            f"Requests and their candidates. Audited below: {', '.join(audit.config.domains)}.",
            header,
            domains,
        )
    ]
    if events:
        tables.append(Table("Events, by the domain where they happened.", ("Domain", *actions), events))
    return Section("sizes", "The log", gaps(audit, "sizes"), tables=tuple(tables))
