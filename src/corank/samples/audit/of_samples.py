"""The audit of samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from corank.logs.engine import engine
from corank.progress import QUIET, Reporter
from corank.samples.audit.absent import absent_from_samples
from corank.samples.audit.blind_spot import blind_spot
from corank.samples.audit.deciles import add_deciles, add_item_deciles
from corank.samples.audit.drift import drift
from corank.samples.audit.exposure import exposure
from corank.samples.audit.finding import worst_first
from corank.samples.audit.from_samples import samples_source
from corank.samples.audit.ledger import credited
from corank.samples.audit.result import SamplesAudit
from corank.samples.audit.sample_findings import sample_findings
from corank.samples.audit.skew import skew
from corank.samples.audit.sources import label_sources
from corank.samples.audit.spaces import spaces
from corank.samples.audit.stored import open_samples
from corank.samples.config import reaches
from corank.samples.manifest import Manifest


def audit_samples(folder: Path, progress: Reporter = QUIET) -> SamplesAudit:
    """Audit samples.

    Raises:
        CorankError: the folder is not one of samples, or a file in it is missing or damaged.
    """
    stored = open_samples(folder)
    manifest = stored.manifest
    with engine(folder) as connection, progress.task("audit", total=6) as task:
        source = samples_source(connection, stored)
        add_deciles(connection, "popularity")
        add_deciles(connection, "price")
        add_item_deciles(connection)
        task.advance(note="exposure")
        shown = exposure(source)
        task.advance(note="spaces")
        rates, sources = spaces(source), label_sources(source)
        task.advance(note="conversions")
        bought = credited(source, _purchases(manifest))
        task.advance(note="popularity")
        popular = skew(source)
        task.advance(note="drift")
        moved = drift(source)
        blind = blind_spot(source)
        task.advance(note="findings")
    made = SamplesAudit(
        folder=str(folder),
        simulated=manifest.simulated,
        findings=(),
        absent=absent_from_samples(source, manifest, shown, rates, bought, popular),
        manifest=manifest,
        exposure=shown,
        spaces=rates,
        sources=sources,
        credits=bought,
        skew=popular,
        drift=moved,
        blind_spot=blind,
    )
    return replace(made, findings=worst_first(sample_findings(made)))


def _purchases(manifest: Manifest) -> tuple[str, ...]:
    """The actions of purchase level in the ledger."""
    own, free = manifest.config.purchase_actions, manifest.config.free_actions[1]
    return own if not reaches(manifest.recipe, "attributed") else tuple(dict.fromkeys((*own, *free)))
