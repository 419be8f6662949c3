"""How long work says where it is: a bar on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Task(Protocol):
    """One piece of work under way."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count `steps` more as done; `note` is shown beside the count."""


class Reporter(Protocol):
    """Where long work reports: pass one to any verb; the default says nothing."""

    def task(self, name: str, total: int) -> AbstractContextManager[Task]:
        """A context whose value counts `total` steps of the work called `name`."""

    def say(self, line: str) -> None:
        """One line about the work."""


class Quiet:
    """Says nothing."""

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Task]:
        del name, total
        yield _Silent()

    def say(self, line: str) -> None:
        pass


class Lines:
    """Plain lines on standard error: one at the start and end of a task, and one every few seconds."""

    def __init__(self, every_seconds: float = 5.0) -> None:
        self.every_seconds = every_seconds

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Task]:
        counter = _LineTask(name, total, self.every_seconds)
        yield counter
        counter.close()

    def say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


QUIET: Reporter = Quiet()


def reporter(quiet: bool = False) -> Reporter:
    """What suits this process: nothing when quiet, bars on a terminal, plain lines elsewhere."""
    if quiet:
        return QUIET
    if not sys.stderr.isatty():
        return Lines()
    from corank.bars import Bars  # rich is of the command line; training runs without it

    return Bars()


class _Silent:
    def advance(self, steps: int = 1, note: str = "") -> None:
        pass


class _LineTask:
    def __init__(self, name: str, total: int, every_seconds: float) -> None:
        self.name, self.total, self.every_seconds = name, total, every_seconds
        self.done, self.note = 0, ""
        self.started = self.said = time.monotonic()

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.done += steps
        self.note = note or self.note
        now = time.monotonic()
        if now - self.said >= self.every_seconds and self.done < self.total:
            self.said = now
            self._print(now)

    def close(self) -> None:
        self._print(time.monotonic())

    def _print(self, now: float) -> None:
        note = f"  {self.note}" if self.note else ""
        print(
            f"{self.name}: {self.done}/{self.total}  {now - self.started:.1f} s{note}",
            file=sys.stderr,
            flush=True,
        )
