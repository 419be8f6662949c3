"""A training that dies at a step."""

from __future__ import annotations

from typing import Any

from corank.progress import QUIET


class KillAfter:
    """A reporter whose training task dies at a step, as a killed process would."""

    def __init__(self, step: int) -> None:
        self.left = step

    def task(self, name: str, total: int) -> Any:
        return QUIET.task(name, total) if name != "train" else self

    def __enter__(self) -> KillAfter:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def advance(self, count: int = 1, note: str = "") -> None:
        del note
        self.left -= count
        if self.left <= 0:
            raise KeyboardInterrupt

    def say(self, line: str) -> None:
        pass
