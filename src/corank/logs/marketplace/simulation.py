"""Write a marketplace's logs, with the truth apart."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corank.errors import CorankError
from corank.files import refuse_existing, whole_folder, write_json
from corank.logs.marketplace.catalog import make_catalog
from corank.logs.marketplace.config import MarketplaceConfig
from corank.logs.marketplace.journal import Counters, behaviour_tables
from corank.logs.marketplace.needs import make_needs, make_plan
from corank.logs.marketplace.offers import Site
from corank.logs.marketplace.population import make_population, make_society
from corank.logs.marketplace.retrieval import make_pools
from corank.logs.marketplace.tables import item_tables, user_tables
from corank.logs.marketplace.vocabulary import brand_names
from corank.logs.marketplace.walk import Streams, walk
from corank.progress import QUIET, Reporter

CHUNK_REQUESTS = 30_000
"""Expected searches of one chunk of users: what is held in memory at a time."""
_ROW_GROUP = 1 << 18
_CHUNK_STREAMS = 6


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
    catalog_seed, society_seed, words_seed, users_seed = np.random.SeedSequence(seed).spawn(4)
    catalog = make_catalog(config, np.random.default_rng(catalog_seed))
    society = make_society(catalog, np.random.default_rng(society_seed))
    words = np.random.default_rng(words_seed)
    brands = brand_names(config.catalog.brands, words)
    pools = make_pools(catalog, least=2 * config.retrieval.search_candidates)

    chunks = -(-config.requests // CHUNK_REQUESTS)
    bounds = np.linspace(0, config.users, min(chunks, config.users) + 1).astype(int).tolist()
    used = Counters()
    with _Writers(folder, report) as writers, progress.task("simulate", len(bounds) - 1) as task:
        writers.write(item_tables(config, catalog, brands, words))
        for chunk_seed, first, last in zip(
            users_seed.spawn(len(bounds) - 1), bounds, bounds[1:], strict=False
        ):
            people_rng, needs_rng, *rest = (
                np.random.default_rng(stream) for stream in chunk_seed.spawn(_CHUNK_STREAMS)
            )
            people = make_population(config, catalog, society, first, last - first, people_rng)
            needs = make_needs(config, catalog, people, needs_rng)
            plan = make_plan(config, people, needs, needs_rng)
            site = Site(config, catalog, pools, people, needs)
            record = walk(site, plan, Streams(*rest))
            writers.write(user_tables(people))
            tables, used = behaviour_tables(site, plan, record, brands, used)
            writers.write(tables)
            task.advance(note=f"{used.requests} requests, {used.events} events")


class _Writers:
    """One Parquet writer a table, opened with its first rows; counts what it writes."""

    def __init__(self, folder: Path, report: SimulationReport) -> None:
        self.folder, self.report = folder, report
        self.open: dict[str, pq.ParquetWriter] = {}
        self.stack = ExitStack()

    def __enter__(self) -> _Writers:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stack.close()

    def write(self, tables: dict[str, pa.Table]) -> None:
        """Append rows to the tables named."""
        for name, table in tables.items():
            if name not in self.open:
                path = self.folder / f"{name}.parquet"
                path.parent.mkdir(exist_ok=True)
                # A dictionary of continuous values only costs time.
                discrete = [field.name for field in table.schema if not _continuous(field.type)]
                writer = pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=discrete)
                self.open[name] = self.stack.enter_context(writer)
            self.open[name].write_table(table, row_group_size=_ROW_GROUP)
            self._count(name, table)

    def _count(self, name: str, table: pa.Table) -> None:
        self.report.rows[name] = self.report.rows.get(name, 0) + len(table)
        if name == "requests":
            _add(self.report.requests, table["domain"])
        if name == "events":
            _add(self.report.events, pc.binary_join_element_wise(table["domain"], table["action"], " "))


def _continuous(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_timestamp(kind) or pa.types.is_nested(kind))


def _add(counts: dict[str, int], column: pa.ChunkedArray) -> None:
    for entry in pc.value_counts(column).to_pylist():
        counts[entry["values"]] = counts.get(entry["values"], 0) + entry["counts"]
