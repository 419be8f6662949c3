"""Small data sets in the formats in which they are published, and what an import makes of them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tests.logs.tiny import Rows, read_log

from corank.logs import ImportReport, import_logs
from corank.logs.schemas import TABLES

Row = dict[str, Any]
"""A row by the names of its columns."""

Files = Mapping[str, Sequence[Row]]
"""The rows of a data set's files by their published names, with an ending or without."""


def write_file(path: Path, rows: Sequence[Row], delimiter: str = ",", quoted: bool = True) -> Path:
    """Write rows, all of the same columns, as Parquet if so named, else as lines; without quotes, as is.

    Lists become `[1, 2]`, as pandas writes them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
        return path
    header = list(rows[0])
    lines = [header, *([row[column] for column in header] for row in rows)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        if quoted:
            csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(lines)
        else:
            stream.writelines(delimiter.join(line) + "\n" for line in lines)
    return path


def write_files(
    folder: Path, files: Files, suffix: str = "", delimiter: str = ",", quoted: bool = True
) -> Path:
    """Write files, with the ending `suffix` if given, else with their own or `.csv`; returns the folder."""
    for name, rows in files.items():
        path = folder / name
        write_file(path.with_suffix(suffix or path.suffix or ".csv"), rows, delimiter, quoted)
    return folder


def add_lines(path: Path, lines: Iterable[str]) -> None:
    """Append lines as they are."""
    with path.open("a", newline="") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def with_line(files: Files, file: str, **changed: str) -> Files:
    """The files with one more line in one of them: its last, with some fields changed."""
    return {**files, file: [*files[file], {**files[file][-1], **changed}]}


def unusable(report: ImportReport) -> dict[str, int]:
    """What was not used, or not as it stood, where there was any."""
    return {reason: found.count for reason, found in report.unusable.items() if found.count}


def imported(source: str, src: Path, out: Path) -> tuple[Rows, dict[str, int]]:
    """The tables of a data set, and what of it was not used."""
    report = import_logs(source, src, out)
    return read_log(out), unusable(report)


def same_tables(source: str, files: Files, write: Callable[[Path, Files], Path], folder: Path) -> None:
    """Assert that files give the same tables as text (by `write`), as Parquet and in another order."""
    backwards = {file: rows[::-1] for file, rows in files.items()}
    forms = [
        write(folder / "text", files),
        write_files(folder / "parquet", files, ".parquet"),
        write(folder / "backwards", backwards),
    ]
    logs = [src.with_name(f"{src.name}-log") for src in forms]
    first, *others = [import_logs(source, src, out) for src, out in zip(forms, logs, strict=True)]
    assert all(other.unusable == first.unusable for other in others)
    for table in TABLES:
        assert len({(log / f"{table}.parquet").read_bytes() for log in logs}) == 1


def columns(rows: Iterable[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Some columns of rows."""
    return [tuple(row[name] for name in names) for row in rows]
