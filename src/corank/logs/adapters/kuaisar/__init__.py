"""KuaiSAR, Kuaishou's log of search and recommendation: a search, or what was sent at once, is a request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from corank.logs.adapters.adapter import Adapter, Counted, Written
from corank.logs.adapters.attributes import count_unused
from corank.logs.adapters.kuaisar import features, rows, source, tables
from corank.logs.adapters.loading import MACROS
from corank.logs.adapters.reading import count_rejected
from corank.logs.adapters.shown import STAGES, write_tables
from corank.logs.engine import engine
from corank.progress import Reporter

__all__ = ["KUAISAR"]


def write(src: Path, out: Path, progress: Reporter) -> Written:
    """Write the log tables of KuaiSAR's files at `src` into the folder `out`.

    Raises:
        CorankError: `src` does not hold the data set, or a file of it cannot be read.
    """
    files = source.find(src)
    attributes = features.of(files)
    layout = tables.LAYOUT if "social_network" in files else replace(tables.LAYOUT, of_users=())
    with engine(src, scratch_in=out) as connection, progress.task("import kuaisar", total=STAGES) as task:
        connection.execute(MACROS)
        read = rows.read(connection, files)
        task.advance(note="rows read")
        read |= write_tables(connection, layout, attributes, out, task)
        unusable = rows.count_unusable(connection) | count_unused(connection, attributes)
        lines = sum(count_rejected(connection, file) for file in files.values())
        unusable["malformed_line"] = Counted(lines, "line of a CSV file that does not parse")
        return Written(read, unusable)


KUAISAR = Adapter(
    name="kuaisar",
    title="KuaiSAR, search and recommendation on Kuaishou",
    url="https://kuaisar.github.io/",
    citation=(
        "Z. Sun, Z. Si, X. Zang, D. Leng, Y. Niu, Y. Song, X. Zhang, J. Xu."
        " KuaiSAR: A Unified Search And Recommendation Dataset. CIKM 2023. doi:10.1145/3583780.3615123"
    ),
    write=write,
)
