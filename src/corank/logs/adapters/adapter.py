"""What an adapter is: a public data set's name and source, and how its files become log tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corank.logs.adapters.parsing import Counted
from corank.logs.adapters.plan import Plan


@dataclass(frozen=True)
class Adapter:
    """A source that `import_logs` can read.

    `plan(src)` finds the data set's files at `src` and says what is made of them; it raises a CorankError if
    `src` does not hold them.
    """

    name: str
    title: str
    url: str
    citation: str
    plan: Callable[[Path], Plan]


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
