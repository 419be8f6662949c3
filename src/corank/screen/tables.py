"""Tables and lines on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 200


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1) -> Table:
    """A table with right-aligned columns after the first `left`; texts stand as they are."""
    made = Table(
        title=Text(title, "bold"), title_justify="left", title_style="", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for i, column in enumerate(columns):
        made.add_column(Text(column), justify="left" if i < left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(Text(_text(cell)) for cell in row))
    return made


def show(*parts: Table | str) -> None:
    """Print to standard output, as wide as the terminal; a file or pipe has room for any table."""
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    for part in parts:
        if isinstance(part, str):
            console.print(part, markup=False, highlight=False, soft_wrap=True)
        else:
            console.print(part)


def _text(cell: object) -> str:
    if isinstance(cell, bool) or not isinstance(cell, int):
        return str(cell)
    return f"{cell:,}"
