"""What the check of a log found: broken rules with counts and examples, and the log in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from corank.errors import CorankError
from corank.logs.rule import Severity


@dataclass(frozen=True)
class Finding:
    """A broken rule: how many rows break it, and the first of them."""

    rule: str
    table: str
    column: str
    severity: Severity
    sentence: str
    count: int
    example: Mapping[str, Any]
    droppable: bool

    def __str__(self) -> str:
        rows = "1 row" if self.count == 1 else f"{self.count:,} rows"
        values = ", ".join(f"{column}={value!r}" for column, value in self.example.items())
        such = f", such as {values}" if values else ""
        return f"{self.table}.{self.column}: {self.sentence} ({self.rule}, {rows}{such})"


@dataclass(frozen=True)
class PositionRate:
    """Exposed rows at one position and how many of them were clicked."""

    position: int
    exposed: int
    clicked: int
    rate: float


@dataclass(frozen=True)
class LogSummary:
    """A log in numbers; times are ISO 8601 in UTC, null where there are none."""

    rows: Mapping[str, int]
    first_request: str | None
    last_request: str | None
    first_event: str | None
    last_event: str | None
    requests_by_domain: Mapping[str, int]
    exposed: int
    candidates_per_request: float
    most_candidates: int
    events_by_action: Mapping[str, int]
    clicks: int
    purchases: int
    click_rate_by_position: tuple[PositionRate, ...]


@dataclass(frozen=True)
class LogReport:
    """What `check_logs` found in the folder `logs`.

    `dropped` counts the rows left out by rule; `cascaded` what went with them (rows of a dropped request or
    item by table; `events.request_id`: events that lost the link to a dropped request or candidate). Findings
    and summary are those of the log without the dropped rows.
    """

    logs: str
    findings: tuple[Finding, ...]
    summary: LogSummary
    dropped: Mapping[str, int]
    cascaded: Mapping[str, int]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The broken rules that must be mended or dropped."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The broken rules that may be meant."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def raise_if_broken(self) -> None:
        """Stop unless every rule but warnings holds.

        Raises:
            CorankError: a rule is broken; the sentence names the first and the count of the others.
        """
        if not self.errors:
            return
        first, *others = self.errors
        more = (
            f"; {len(others)} other rule{'s are' if len(others) > 1 else ' is'} broken too" if others else ""
        )
        remedy = "mend the log or drop the rows" if first.droppable else "no row to drop would mend it"
        raise CorankError(f"{self.logs}: {first}; {remedy}{more}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)
