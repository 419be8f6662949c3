"""Adapters from public data sets to the five log tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow.parquet as pq

from corank.errors import CorankError, unknown
from corank.files import refuse_existing, whole_folder, write_json
from corank.logs.adapters.adapter import Adapter, ImportReport
from corank.logs.adapters.coveo import COVEO
from corank.logs.adapters.diginetica import DIGINETICA
from corank.logs.adapters.jdsearch import JDSEARCH
from corank.logs.adapters.kuairand import KUAIRAND
from corank.logs.adapters.kuaisar import KUAISAR
from corank.logs.adapters.parsing import Counted
from corank.logs.adapters.plan import write
from corank.logs.adapters.trivago import TRIVAGO
from corank.logs.schemas import TABLES
from corank.progress import QUIET, Reporter

__all__ = ["SOURCES", "Adapter", "Counted", "ImportReport", "import_logs"]

SOURCES: Mapping[str, Adapter] = MappingProxyType(
    {adapter.name: adapter for adapter in (TRIVAGO, KUAISAR, KUAIRAND, DIGINETICA, COVEO, JDSEARCH)}
)
"""The public data sets that can be imported, by name."""


def import_logs(
    source: str, src: Path, out: Path, overwrite: bool = False, progress: Reporter = QUIET
) -> ImportReport:
    """Turn a public data set's files at `src` into a folder of log tables (and `import.json`) at `out`.

    Raises:
        CorankError: the source is unknown, `src` does not hold it or nothing usable, or `out` exists and
            `overwrite` is false.
    """
    src, out = Path(src), Path(out)
    if source not in SOURCES:
        raise unknown("source", source, SOURCES)
    if not src.exists():
        raise CorankError(f"{src}: no such file or folder")
    refuse_existing(out, overwrite)
    adapter = SOURCES[source]
    with whole_folder(out, overwrite) as aside:
        written = write(adapter.name, adapter.plan(src), src, aside, progress)
        rows = {table: pq.read_metadata(aside / f"{table}.parquet").num_rows for table in TABLES}
        if not rows["requests"]:
            reasons = ", ".join(
                f"{name} {found.count}" for name, found in written.unusable.items() if found.count
            )
            raise CorankError(f"{src}: not one usable request in it ({reasons or 'no rows'})")
        report = ImportReport(
            source=adapter.name,
            title=adapter.title,
            url=adapter.url,
            citation=adapter.citation,
            src=str(src),
            folder=out,
            read=written.read,
            unusable=written.unusable,
            rows=rows,
        )
        write_json(aside / "import.json", report.to_dict())
    return report
