"""Small data sets in the formats they are published in, and what an import makes of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tests.logs.tiny import Rows, read_log

from corank.logs import ImportReport, import_logs

Lines = list[dict[str, str]]
"""A file's rows as text, by the names of its columns."""

Files = Mapping[str, Lines]
"""The rows of a data set's files, by their published names."""


def write_text(folder: Path, files: Files, delimiter: str = ",", quoted: bool = True) -> Path:
    """Write files of lines, each with a header; without quotes, fields are written as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, lines in files.items():
        rows = [list(lines[0]), *(list(line.values()) for line in lines)]
        with (folder / file).open("w", newline="") as stream:
            if quoted:
                csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(rows)
            else:
                stream.writelines(delimiter.join(row) + "\n" for row in rows)
    return folder


def write_parquet(folder: Path, files: Files) -> Path:
    """Write the same files as Parquet, all columns as text."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, lines in files.items():
        pq.write_table(pa.Table.from_pylist(lines), (folder / file).with_suffix(".parquet"))
    return folder


def add_lines(path: Path, lines: Iterable[str]) -> None:
    """Append lines as they are."""
    with path.open("a", newline="") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def with_line(files: Files, file: str, **changed: str) -> Files:
    """The files with one more line in one of them: its last, with some fields changed."""
    return {**files, file: [*files[file], {**files[file][-1], **changed}]}


def lost(report: ImportReport) -> dict[str, int]:
    """What was not used, or not as it stood."""
    return {reason: found.count for reason, found in report.unusable.items() if found.count}


def imported(source: str, src: Path, out: Path) -> tuple[Rows, dict[str, int]]:
    """The tables of a data set, and what of it was not used."""
    report = import_logs(source, src, out)
    return read_log(out), lost(report)


def columns(rows: Iterable[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Some columns of rows."""
    return [tuple(row[name] for name in names) for row in rows]
