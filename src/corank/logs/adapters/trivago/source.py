"""Finding trivago's files: the log as Parquet or CSV, the hotels' properties as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corank.errors import CorankError
from corank.logs.adapters.reading import SUFFIXES, Files

COLUMNS = (
    "user_id",
    "session_id",
    "timestamp",
    "step",
    "action_type",
    "reference",
    "platform",
    "city",
    "device",
    "current_filters",
    "impressions",
    "prices",
)
"""The log's columns as published."""

METADATA_COLUMNS = ("item_id", "properties")
"""The columns of item_metadata.csv."""


def find(src: Path) -> dict[str, Files]:
    """The log and the hotels' properties of a Parquet file, a CSV file, or a folder as downloaded.

    Raises:
        CorankError: `src` is neither, or the folder has no train.csv.
    """
    if not src.is_dir():
        if src.suffix.lower() not in SUFFIXES:
            raise CorankError(f"{src}: expected a .parquet file, a .csv file or a folder with train.csv")
        return _files([src], [])
    train, test, metadata = (src / f"{part}.csv" for part in ("train", "test", "item_metadata"))
    if not train.is_file():
        raise CorankError(
            f"{src}: no train.csv in it; expected the folder of trivago's data set as downloaded"
        )
    return _files(
        [train, test] if test.is_file() else [train],
        [metadata] if metadata.is_file() else [],
    )


def _files(log: Sequence[Path], metadata: Sequence[Path]) -> dict[str, Files]:
    lines = "malformed_line", "line of the log's CSV that does not parse"
    hotels = "malformed_metadata_line", "line of item_metadata.csv that does not parse"
    return {
        "log": Files(log, COLUMNS, malformed=lines),
        "metadata": Files(metadata, METADATA_COLUMNS, malformed=hotels),
    }
