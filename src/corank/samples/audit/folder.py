"""Which of the two a folder is, a log or samples; and its audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corank.errors import CorankError
from corank.logs.schemas import TABLES
from corank.progress import QUIET, Reporter
from corank.samples.audit.of_logs import audit_log
from corank.samples.audit.of_samples import audit_samples
from corank.samples.audit.result import Audit
from corank.samples.manifest import MANIFEST


def audit_folder(folder: Path, settings: Sequence[str] = (), progress: Reporter = QUIET) -> Audit:
    """Audit a log, or samples, by what is in the folder.

    Args:
        folder: the five log tables, or what `corank samples` made.
        settings: `key=value` settings of `AuditConfig`, for a log; samples have those they were built with.
        progress: told of steps.

    Raises:
        CorankError: the folder is neither, or damaged, or a setting does not fit.
    """
    if not folder.is_dir():
        raise CorankError(f"{folder}: no such folder; expected logs or samples")
    if (folder / MANIFEST).is_file():
        if settings:
            raise CorankError(
                f"{folder}: samples are audited with the settings that they were built with; --set is for"
                " logs"
            )
        return audit_samples(folder, progress)
    if not any((folder / name).exists() for table in TABLES for name in (table, f"{table}.parquet")):
        raise CorankError(
            f"{folder}: neither samples ({MANIFEST}) nor logs (the tables {', '.join(TABLES)}) are in it"
        )
    return audit_log(folder, settings, progress)
