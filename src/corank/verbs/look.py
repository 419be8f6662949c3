"""What biases data, and what they hold: `audit`, `features`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corank.features.infer import infer_spec
from corank.features.spec import FeatureSpec
from corank.files import refuse_existing, refuse_folder
from corank.progress import QUIET, Reporter
from corank.report.audit import write_audit
from corank.samples.audit import Audit, audit_folder


def audit(
    folder: Path,
    out: Path | None = None,
    settings: Sequence[str] = (),
    overwrite: bool = False,
    progress: Reporter = QUIET,
) -> Audit:
    """Audit a log or samples: what biases them, what they miss, what changes from training to test.

    Args:
        folder: the five log tables, or what `corank samples` made.
        out: an HTML page to write.
        settings: `key=value` settings of `AuditConfig`, for a log; samples have those they were built with.
        overwrite: replace `out` if it exists.
        progress: where to report.

    Raises:
        CorankError: the folder is neither, or damaged, a setting does not fit, or `out` exists.
    """
    if out is not None:
        refuse_existing(out, overwrite)
        refuse_folder(out, "HTML file")
    found = audit_folder(folder, settings, progress)
    if out is not None:
        write_audit(found, out)
    return found


def features(folder: Path, out: Path, overwrite: bool = False) -> FeatureSpec:
    """Write the feature spec that training would infer from a store, as YAML to edit.

    Raises:
        CorankError: `folder` is not a store, or `out` exists.
    """
    refuse_existing(out, overwrite)
    spec = infer_spec(folder)
    spec.write(out)
    return spec
