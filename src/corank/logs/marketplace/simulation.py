"""Write a marketplace's logs, with the truth apart."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from corank.errors import CorankError
from corank.files import refuse_existing, whole_folder, write_json
from corank.logs.marketplace.config import MarketplaceConfig
from corank.logs.marketplace.journal import Counters, behaviour_tables
from corank.logs.marketplace.tables import user_tables
from corank.logs.marketplace.walk import Walk
from corank.logs.marketplace.world import make_world
from corank.logs.marketplace.writers import Writers
from corank.progress import QUIET, Reporter


@dataclass
class SimulationReport:
    """What was written where, and the rates that came of it."""

    path: Path
    rows: dict[str, int] = field(default_factory=dict)
    """Rows by table."""
    requests: dict[str, int] = field(default_factory=dict)
    """Requests by domain."""
    events: dict[str, int] = field(default_factory=dict)
    """Events by `domain action`."""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "path": str(self.path)}


def simulate(
    out: str | Path,
    size: str = "s",
    preset: str = "market",
    seed: int = 0,
    settings: Iterable[str] = (),
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> SimulationReport:
    """Simulate a marketplace; write its five log tables, `simulation.json` and `truth/` to the folder `out`.

    The same seed, size, preset and settings give the same bytes (with the same versions of corank, numpy and
    pyarrow).

    Args:
        out: folder to make.
        size: `s` (about 20,000 search requests), `m` (200,000) or `l` (2,000,000).
        preset: `market` or `boutique`.
        seed: of every draw; at least 0.
        settings: `a.b=c` settings of `MarketplaceConfig`, applied last.
        overwrite: replace what is at `out`.
        progress: where to report.

    Raises:
        CorankError: a name or setting is wrong, or `out` exists or cannot be written.
    """
    started = time.monotonic()
    config = MarketplaceConfig.preset(preset, size, settings)
    if seed < 0:
        raise CorankError(f"seed = {seed}: expected 0 or more")
    out = Path(out)
    refuse_existing(out, overwrite)
    report = SimulationReport(path=out)
    with whole_folder(out, overwrite) as folder:
        _write(config, seed, folder, report, progress)
        described = {"preset": preset, "size": size, "seed": seed, "corank": version("corank")}
        counts = {"rows": report.rows, "requests": report.requests, "events": report.events}
        write_json(
            folder / "simulation.json", {**described, "config": config.model_dump(mode="json"), **counts}
        )
    report.seconds = round(time.monotonic() - started, 2)
    return report


def _write(
    config: MarketplaceConfig, seed: int, folder: Path, report: SimulationReport, progress: Reporter
) -> None:
    """Write every table, chunk of users by chunk of users."""
    world, used = make_world(config, seed), Counters()
    chunks = len(world.bounds) - 1
    with Writers(folder) as writers, progress.task("simulate", chunks) as task:
        writers.write(world.items)
        for chunk in world.chunks():
            record = Walk(chunk.site, chunk.plan, chunk.streams).record()
            writers.write(user_tables(chunk.site.population))
            tables, used = behaviour_tables(chunk.site, chunk.plan, record, world.brands, used)
            writers.write(tables)
            task.advance(note=f"{used.requests} requests, {used.events} events")
    report.rows, report.requests, report.events = writers.rows, writers.requests, writers.events
