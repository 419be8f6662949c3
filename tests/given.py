"""Good inputs for the command line, and the ways to spoil them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.logs.tiny import event, good_rows, write_log


@dataclass(frozen=True)
class Given:
    """Good inputs to spoil, and an empty folder to do it in."""

    logs: Path
    samples: Path
    run: Path
    at: Path

    @property
    def out(self) -> Path:
        """Where nothing is, and nothing may come to be."""
        return self.at / "out"

    @property
    def empty(self) -> Path:
        """An empty folder."""
        path = self.at / "empty"
        path.mkdir(exist_ok=True)
        return path

    @property
    def request(self) -> str:
        """The id of a request of the validation split."""
        return str(pq.read_table(self.samples / "valid", columns=["request_id"])["request_id"][0])

    def cut(self, source: Path, name: str, damage: Callable[[bytes], bytes]) -> Path:
        """A copy of a folder with the file `name` (a pattern) damaged."""
        copy = self.at / source.name
        shutil.copytree(source, copy)
        file = next(copy.glob(name))
        file.write_bytes(damage(file.read_bytes()))
        return copy

    def changed(self, table: str, change: Callable[[pa.Table], pa.Table]) -> Path:
        """A copy of the log with one of its tables changed."""
        copy = self.at / "logs"
        shutil.copytree(self.logs, copy)
        path = copy / f"{table}.parquet"
        pq.write_table(change(pq.read_table(path)), path)
        return copy

    def text(self, name: str, text: str) -> Path:
        """A text file."""
        path = self.at / name
        path.write_text(text)
        return path

    def tiny(self, table: str, **values: object) -> Path:
        """The small good log with one more row, the last of a table with other values."""
        rows = good_rows()
        rows[table].append({**rows[table][-1], **values})
        return write_log(self.at / "tiny", rows)

    @property
    def contents(self) -> dict[Path, tuple[int, int]]:
        """Everything in the run, the folder and what lies beside it, hidden or not, with size and time."""
        paths = [path for place in (self.at.parent, self.run) for path in place.rglob("*")]
        stats = {path: path.stat() for path in paths}
        return {p: (s.st_size, s.st_mtime_ns) if p.is_file() else (0, 0) for p, s in stats.items()}


def first_half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def noise_in_pages(data: bytes) -> bytes:
    """The footer is whole, what it points at is not."""
    middle = len(data) // 2
    return data[:4] + bytes(byte ^ 0x5A for byte in data[4:middle]) + data[middle:]


def no_requests_named(events: pa.Table) -> pa.Table:
    nulls = pa.nulls(len(events), events.schema.field("request_id").type)
    return events.set_column(events.schema.get_field_index("request_id"), "request_id", nulls)


def no_deeds(events: pa.Table) -> pa.Table:
    return events.filter(pc.field("action") == "cart")


def times_as_text(requests: pa.Table) -> pa.Table:
    at = requests.schema.get_field_index("timestamp")
    return requests.set_column(at, "timestamp", requests["timestamp"].cast(pa.string()))


def without_table(given: Given, table: str) -> Path:
    log = write_log(given.at / "tiny")
    (log / f"{table}.parquet").unlink()
    return log


def all_clicked(given: Given) -> Path:
    rows = good_rows()
    users = {row["request_id"]: row["user_id"] for row in rows["requests"]}
    rows["events"] = [
        event(users[c["request_id"]], c["item_id"], 10 * c["request_id"] + 1, "click", c["request_id"])
        for c in rows["candidates"]
        if c["exposed"]
    ]
    return write_log(given.at / "tiny", rows)


def empty_list(given: Given) -> Path:
    rows = good_rows()
    rows["candidates"] = [row for row in rows["candidates"] if row["request_id"] != 4]
    return write_log(given.at / "tiny", rows)
