"""The whole path in one go, on a simulated marketplace: logs, audit, samples, models, evidence, report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corank import verbs
from corank.evaluation.compare import Comparison
from corank.files import refuse_existing
from corank.progress import QUIET, Reporter
from corank.samples.audit import Audit
from corank.samples.manifest import Manifest

MODELS = ("dlrm_mlp_s", "unimixer_lite_s")
SETTINGS = ("epochs=2",)


@dataclass(frozen=True)
class DemoResult:
    """What the demo made."""

    audit: Audit
    manifest: Manifest
    comparison: Comparison
    audit_page: Path
    report: Path

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "findings": self.audit.to_dict()["findings"],
            "samples": self.manifest.model_dump(mode="json"),
            "comparison": self.comparison.to_json(),
            "audit": str(self.audit_page),
            "report": str(self.report),
            "note": "numbers come from a simulated marketplace",
        }


def demo(out: Path, seed: int = 0, overwrite: bool = False, progress: Reporter = QUIET) -> DemoResult:
    """Simulate, check, audit, build samples, train two models, evaluate, compare, report, all below `out`.

    Raises:
        CorankError: `out` exists and `overwrite` is false.
    """
    refuse_existing(out, overwrite)
    logs, samples = out / "logs", out / "samples"
    verbs.simulate(logs, size="s", seed=seed, overwrite=overwrite, progress=progress)
    verbs.check(logs, progress=progress).raise_if_broken()
    audit_page = out / "audit.html"
    audit = verbs.audit(logs, audit_page, overwrite=overwrite, progress=progress)
    manifest = verbs.samples(logs, samples, "unexposed", seed, overwrite=overwrite, progress=progress)
    runs = [out / model for model in MODELS]
    for model, run in zip(MODELS, runs, strict=True):
        verbs.train(samples, run, model, seed, SETTINGS, overwrite=overwrite, progress=progress)
        verbs.evaluate(run, samples, progress=progress)
    comparison = verbs.compare(runs, progress=progress)
    page = verbs.report(out, progress=progress)
    return DemoResult(audit, manifest, comparison, audit_page, page)
