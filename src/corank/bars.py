"""Progress bars on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from corank.progress import Task


class Bars:
    """Progress bars on the terminal (standard error)."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Task]:
        columns = (
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self.console) as progress:
            yield _BarTask(progress, progress.add_task(name, total=total, note=""))

    def say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False)


class _BarTask:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self.progress, self.id = progress, task

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.progress.advance(self.id, steps)
        if note:
            self.progress.update(self.id, note=note)
