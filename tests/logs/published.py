"""Small files in the form in which data sets are published."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corank.logs import ImportReport

Row = dict[str, Any]


def write_file(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows, all of the same columns, as CSV (as pandas does: lists as `[1, 2]`) or as Parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
        return path
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_files(folder: Path, files: Mapping[str, Sequence[Row]], suffix: str = ".csv") -> Path:
    """Write a file for each name; returns the folder."""
    for stem, rows in files.items():
        write_file(folder / f"{stem}{suffix}", rows)
    return folder


def unusable(report: ImportReport) -> dict[str, int]:
    """What of a source was not used, where there was any."""
    return {reason: found.count for reason, found in report.unusable.items() if found.count}
