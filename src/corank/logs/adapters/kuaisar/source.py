"""Finding KuaiSAR's files: a folder as unpacked, or one file of interactions, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from corank.errors import CorankError
from corank.logs.adapters.reading import SUFFIXES, columns_of
from corank.logs.schemas import perhaps

COLUMNS = {
    "src_inter": (
        "user_id",
        "search_session_id",
        "search_session_timestamp",
        "keyword",
        "search_source",
        "item_id",
        "item_type",
        "click_cnt",
    ),
    "rec_inter": (
        "user_id",
        "item_id",
        "timestamp",
        "playing_time",
        "click",
        "like",
        "follow",
        "forward",
        "search",
        "search_item_related",
    ),
    "social_network": ("user_id", "user_follow_id"),
}
"""What is read of each file, by its names as published; of those of attributes, what `features` knows."""

INTERACTIONS = ("src_inter", "rec_inter")

OTHERS = ("user_features", "item_features", "social_network")


def find(src: Path) -> Mapping[str, Path]:
    """The files, by their names as published: of a folder, or one file of interactions, told by its columns.

    Raises:
        CorankError: `src` is neither, the folder lacks a file of interactions, or the file cannot be read.
    """
    if src.is_dir():
        found = {stem: _one(src, stem) for stem in (*INTERACTIONS, *OTHERS)}
        return {stem: file for stem, file in found.items() if file}
    if src.suffix.lower() not in SUFFIXES:
        raise CorankError(
            f"{src}: expected the folder of KuaiSAR, or its src_inter or rec_inter as .csv or .parquet"
        )
    columns = set(columns_of(src))
    searches, sent = (len(columns & set(COLUMNS[stem])) for stem in INTERACTIONS)
    return {"src_inter" if searches >= sent else "rec_inter": src}


def _one(folder: Path, stem: str) -> Path | None:
    there = [path for suffix in SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()]
    if len(there) > 1:
        raise CorankError(f"{folder}: {stem} is there twice, as .csv and as .parquet; keep one")
    if not there and stem in INTERACTIONS:
        hint = perhaps(f"{stem}.csv", [path.name for path in folder.iterdir()])
        raise CorankError(
            f"{folder}: no {stem}.csv (or .parquet) in it; expected the folder of KuaiSAR as unpacked{hint}"
        )
    return there[0] if there else None
