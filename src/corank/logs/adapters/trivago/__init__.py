"""trivago's hotel search log (RecSys Challenge 2019): one clickout with its result list is one request."""

from __future__ import annotations

from pathlib import Path

from corank.logs.adapters.adapter import Adapter, Written
from corank.logs.adapters.trivago import rows, source, tables
from corank.logs.engine import engine, write_parquet
from corank.progress import Reporter

__all__ = ["TRIVAGO"]


def write(src: Path, out: Path, progress: Reporter) -> Written:
    """Write the log tables of trivago's files at `src` into the folder `out`.

    Raises:
        CorankError: `src` does not hold the data set, or a file of it cannot be read.
    """
    found = source.find(src)
    queries = {
        "requests": tables.REQUESTS,
        "candidates": tables.CANDIDATES,
        "events": tables.EVENTS,
        "users": tables.USERS,
        "items": tables.items(found),
    }
    with (
        engine(src, scratch_in=out) as connection,
        progress.task("import trivago", total=3 + len(queries)) as task,
    ):
        rows.read(connection, found)
        task.advance(note="rows read")
        connection.execute(f"CREATE TABLE steps AS {tables.STEPS}")
        connection.execute(f"CREATE TABLE lists AS {tables.LISTS}")
        task.advance(note="requests found")
        connection.execute(f"CREATE TABLE touches AS {tables.TOUCHES}")
        task.advance(note="events found")
        for table, query in queries.items():
            write_parquet(connection, query, out / f"{table}.parquet")
            task.advance(note=table)
        return Written(rows.count_read(connection), rows.count_unusable(connection, found))


TRIVAGO = Adapter(
    name="trivago",
    title="trivago hotel search log (RecSys Challenge 2019)",
    url="https://recsys.trivago.cloud/challenge/dataset/",
    citation=(
        "J. Adamczak, Y. Deldjoo, F. Bakhshandegan Moghaddam, P. Knees, G.-P. Leyson, P. Monreal."
        " Session-based Hotel Recommendations Dataset. ACM TIST 12(1), 2020. doi:10.1145/3412379"
    ),
    write=write,
)
