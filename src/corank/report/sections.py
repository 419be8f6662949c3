"""What a report is made of: sections of notes, points, tables and pictures, as the template shows them."""

from __future__ import annotations

from dataclasses import dataclass

ABSENT = "n/a"
"""What a table says where there is no value."""


@dataclass(frozen=True)
class Cell:
    """One cell of a table; `small` lines stand under its text."""

    text: str
    small: tuple[str, ...] = ()
    tone: str = ""
    """`better`, `worse` or nothing: how the lines after the first are coloured."""


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: bool = True
    """Whether all columns but the first hold numbers."""
    folded: bool = False
    """Whether only its caption shows at first."""


@dataclass(frozen=True)
class Picture:
    """A figure that needs no other file."""

    title: str
    source: str
    """A data URI."""
    alt: str
    aid: str
    """One sentence: how to read it."""
    width: int
    """In CSS pixels, at most."""


@dataclass(frozen=True)
class Point:
    """One of a list of things to know, with its mark."""

    mark: str
    """A word, such as `act`."""
    tone: str
    """`worse`, `watch` or `better`: its colour."""
    text: str
    small: str = ""
    """What to do about it."""


@dataclass(frozen=True)
class Section:
    """A part of the report with a title of its own."""

    key: str
    title: str
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    """Titles and long texts, folded away at first."""
    points: tuple[Point, ...] = ()
    """Shown before the tables and pictures."""
