"""The recipe `attributed` in pandas."""

from __future__ import annotations

from pathlib import Path


def attributed_in_pandas(logs: Path, out: Path) -> str:
    raise NotImplementedError
