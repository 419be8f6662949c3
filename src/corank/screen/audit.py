"""An audit as tables: the findings, then what is behind them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from corank.samples.audit import Audit, LogAudit, SamplesAudit
from corank.samples.audit.conversions import PLACES
from corank.samples.audit.finding import percent
from corank.screen.figures import blind_spot_tables, drift_tables, exposure_tables, spaces_table
from corank.screen.results import samples_parts
from corank.screen.tables import table


def audit_parts(audit: Audit) -> list[Table | str]:
    """Everything but what only the page and JSON hold."""
    parts: list[Table | str] = [findings(audit)]
    parts += _of_log(audit) if isinstance(audit, LogAudit) else _of_samples(audit)
    parts += exposure_tables(audit)
    parts += [spaces_table(audit)]
    parts += blind_spot_tables(audit)
    parts += drift_tables(audit)
    parts += [f"Note: {sentence}" for sentence in audit.absent.values()]
    return parts


def findings(audit: Audit) -> str:
    """The sentences that an audit begins with, and what to do about each."""
    simulated = ", of a simulated log" if audit.simulated else ""
    lines = [f"{audit.folder}{simulated}: worst first; brackets hold 95 % intervals over users", ""]
    for one in audit.findings:
        lines.append(f"{one.level:<6}{one.sentence}")
        lines += [f"      > {one.advice}"] if one.advice else []
    return "\n".join([*lines, ""])


def _of_log(audit: LogAudit) -> Iterator[Table]:
    yield table(
        "Domains",
        ["domain", "requests", "with a list", "candidates", "shown"],
        [
            [one.domain, one.requests, one.with_list, one.candidates, percent(one.exposed)]
            for one in audit.sizes.domains
        ],
    )
    if audit.conversions:
        yield table(
            f"Purchases under the rule of the last search click, {audit.conversions.hours:g} hours",
            [
                "happened in",
                "purchases",
                "credited",
                "missed: shown",
                "scored, not shown",
                "not in a list",
                "no search",
            ],
            [
                [one.domain, one.purchases, *(getattr(one, place) for place in PLACES)]
                for one in audit.conversions.domains
            ],
        )


def _of_samples(audit: SamplesAudit) -> Iterator[Table | str]:
    yield from samples_parts(audit.manifest)
    if audit.credits:
        yield table(
            "Purchases before validation",
            ["happened in", "fate", "credited by", "purchases"],
            [[one.domain, one.fate, one.credit, one.purchases] for one in audit.credits.table],
            left=3,
        )
    yield table(
        "Popularity of training samples and of test candidates",
        ["samples", "count", "mean decile", "distance"],
        [[one.group, one.samples, f"{one.mean_decile:.1f}", f"{one.distance:.2f}"] for one in audit.skew],
    )
