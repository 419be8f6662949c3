"""Finding trivago's files: the log as Parquet or CSV, the hotels' properties as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corank.errors import CorankError

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


@dataclass(frozen=True)
class Source:
    """The files that `src` named: logs to be read one after another, and the hotels' properties if there."""

    logs: tuple[Path, ...]
    metadata: Path | None


def find(src: Path) -> Source:
    """The files of a Parquet file, a CSV file, or a folder as downloaded.

    Raises:
        CorankError: `src` is neither, or the folder has no train.csv.
    """
    if src.is_dir():
        train, test, metadata = (src / f"{part}.csv" for part in ("train", "test", "item_metadata"))
        if not train.is_file():
            raise CorankError(
                f"{src}: no train.csv in it; expected the folder of trivago's data set as downloaded"
            )
        return Source((train, test) if test.is_file() else (train,), metadata if metadata.is_file() else None)
    if src.suffix.lower() not in (".parquet", ".csv"):
        raise CorankError(f"{src}: expected a .parquet file, a .csv file or a folder with train.csv")
    return Source((src,), None)
