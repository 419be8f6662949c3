"""The audit of a log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from corank.errors import CorankError
from corank.logs import open_logs
from corank.logs.engine import engine
from corank.progress import QUIET, Reporter
from corank.samples.audit.absent import absent_from_log
from corank.samples.audit.blind_spot import blind_spot
from corank.samples.audit.config import AuditConfig
from corank.samples.audit.conversions import conversions
from corank.samples.audit.deciles import add_deciles
from corank.samples.audit.drift import drift
from corank.samples.audit.exposure import exposure
from corank.samples.audit.finding import worst_first
from corank.samples.audit.from_logs import log_source
from corank.samples.audit.log_findings import log_findings
from corank.samples.audit.result import LogAudit
from corank.samples.audit.sizes import sizes
from corank.samples.audit.spaces import spaces


def audit_log(folder: Path, settings: Sequence[str] = (), progress: Reporter = QUIET) -> LogAudit:
    """Audit a log.

    Raises:
        CorankError: the log cannot be opened or is damaged, or a setting does not fit it.
    """
    if isinstance(settings, str):
        raise CorankError(f"settings: expected a list of 'key=value', found the text '{settings}'")
    config = AuditConfig().with_settings(settings)
    logs = open_logs(folder)
    with engine(folder) as connection, progress.task("audit", total=6) as task:
        source, why = log_source(connection, logs, config)
        task.advance(note="sizes")
        size = sizes(connection)
        task.advance(note="exposure")
        if source.cuts:
            add_deciles(connection, "popularity")
            add_deciles(connection, "price")
        shown, rates = exposure(source), spaces(source)
        task.advance(note="conversions")
        bought = conversions(source)
        task.advance(note="drift")
        moved = drift(source) if source.cuts else None
        task.advance(note="blind spot")
        blind = blind_spot(source) if source.cuts else ()
        task.advance(note="findings")
    made = LogAudit(
        folder=str(folder),
        simulated=(folder / "simulation.json").is_file(),
        findings=(),
        absent=absent_from_log(source, why, size, shown, rates, bought),
        config=config,
        cuts=source.cuts,
        sizes=size,
        exposure=shown,
        spaces=rates,
        conversions=bought,
        drift=moved,
        blind_spot=blind,
    )
    return replace(made, findings=worst_first(log_findings(made)))
