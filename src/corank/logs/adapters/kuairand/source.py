"""Finding KuaiRand's files: a folder as unpacked, or one file of its log, as CSV or Parquet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corank.errors import CorankError
from corank.logs.adapters.reading import SUFFIXES
from corank.logs.schemas import perhaps

FLAGS = {
    "is_click": "click",
    "is_like": "like",
    "is_follow": "follow",
    "is_comment": "comment",
    "is_forward": "forward",
    "is_hate": "hate",
    "long_view": "long_view",
    "is_profile_enter": "profile_enter",
}
"""The log's binary feedback signals, and the events' actions made of them."""

LOG = ("user_id", "video_id", "time_ms", *FLAGS, "play_time_ms", "is_rand", "tab")
"""What is read of the log, by its names as published."""

FEATURES = ("user_features", "video_features_basic", "kuairand_video_captions", "kuairand_video_categories")

LOGS = ("log_standard", "log_random")

_NAME = re.compile(rf"({'|'.join((*LOGS, *FEATURES))})(?:_.*?)??(?:_(pure|1k|27k))?(?:_part\d+)?")


@dataclass(frozen=True)
class Source:
    """The files that `src` named: the log, standard files first, and those of attributes by their kind."""

    log: tuple[Path, ...]
    features: Mapping[str, Path]


def find(src: Path) -> Source:
    """The files of a folder (or of `data` in it), or one file of the log.

    Raises:
        CorankError: `src` is neither, the folder has no file of the log, several versions of the data set, or
            a file twice.
    """
    if not src.is_dir():
        if src.suffix.lower() not in SUFFIXES:
            raise CorankError(
                f"{src}: expected the folder of KuaiRand, or one file of its log (.csv, .parquet)"
            )
        return Source((src,), {})
    for folder in (src, src / "data"):
        found = _known(folder)
        if any(kind in LOGS for kind, _ in found.values()):
            return _checked(folder, found)
    raise CorankError(
        f"{src}: no log_standard_*.csv or log_random_*.csv (or .parquet) in it; expected the folder of"
        " KuaiRand as unpacked"
        + perhaps("log_standard_4_22_to_5_08_pure.csv", (path.name for path in src.iterdir()))
    )


def _known(folder: Path) -> dict[Path, tuple[str, str]]:
    """The files with a name of the data set's: what it is of, and the version if the name says it."""
    found = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        match = _NAME.fullmatch(path.stem)
        if match and path.suffix.lower() in SUFFIXES and path.is_file():
            found[path] = (match[1], match[2] or "")
    return found


def _checked(folder: Path, found: Mapping[Path, tuple[str, str]]) -> Source:
    versions = sorted({version for _, version in found.values() if version})
    if len(versions) > 1:
        raise CorankError(f"{folder}: files of several versions ({', '.join(versions)}) in it; keep one")
    first: dict[str, Path] = {}
    for path, (kind, _) in found.items():
        one = kind if kind in FEATURES else path.stem
        if one in first:
            raise CorankError(f"{folder}: {first[one].name} and {path.name} in it; keep one of them")
        first[one] = path
    log = [path for wanted in LOGS for path, (kind, _) in found.items() if kind == wanted]
    return Source(tuple(log), {kind: path for kind, path in first.items() if kind in FEATURES})
