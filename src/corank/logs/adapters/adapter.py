"""What an adapter is: a public data set's name and source, and the function that writes its log tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corank.progress import Reporter


@dataclass(frozen=True)
class Counted:
    """How many rows had something happen to them, and what it means."""

    count: int
    meaning: str


@dataclass(frozen=True)
class Written:
    """What an adapter's function did.

    `read` counts the source's rows by what they are; `unusable` counts what could not be used, by reason.
    """

    read: Mapping[str, int]
    unusable: Mapping[str, Counted]


@dataclass(frozen=True)
class Adapter:
    """A source that `import_logs` can read.

    `write(src, out, progress)` writes the five tables `out/TABLE.parquet`, without unusable rows.
    """

    name: str
    title: str
    url: str
    citation: str
    write: Callable[[Path, Path, Reporter], Written]


@dataclass(frozen=True)
class ImportReport:
    """What `import_logs` read, what it could not use and why, and the rows of each table it wrote."""

    source: str
    title: str
    url: str
    citation: str
    src: str
    folder: Path
    read: Mapping[str, int]
    unusable: Mapping[str, Counted]
    rows: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in `import.json`."""
        return {
            "source": self.source,
            "title": self.title,
            "url": self.url,
            "citation": self.citation,
            "src": self.src,
            "read": dict(self.read),
            "unusable": {
                reason: {"count": found.count, "meaning": found.meaning}
                for reason, found in self.unusable.items()
            },
            "rows": dict(self.rows),
        }
