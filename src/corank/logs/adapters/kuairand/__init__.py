"""KuaiRand, Kuaishou's log with random exposures: what one tab showed a user at one time is a request."""

from __future__ import annotations

from pathlib import Path

from corank.logs.adapters.adapter import Adapter, Counted, Written
from corank.logs.adapters.attributes import count_unused
from corank.logs.adapters.kuairand import features, rows, source, tables
from corank.logs.adapters.loading import MACROS
from corank.logs.adapters.reading import count_rejected
from corank.logs.adapters.shown import STAGES, write_tables
from corank.logs.engine import engine
from corank.progress import Reporter

__all__ = ["KUAIRAND"]


def write(src: Path, out: Path, progress: Reporter) -> Written:
    """Write the log tables of KuaiRand's files at `src` into the folder `out`.

    Raises:
        CorankError: `src` does not hold the data set, or a file of it cannot be read.
    """
    found = source.find(src)
    attributes = features.of(found.features)
    with engine(src, scratch_in=out) as connection, progress.task("import kuairand", total=STAGES) as task:
        connection.execute(MACROS)
        read = rows.read(connection, found.log)
        task.advance(note="rows read")
        read |= write_tables(connection, tables.LAYOUT, attributes, out, task)
        unusable = rows.count_unusable(connection) | count_unused(connection, attributes)
        lines = sum(count_rejected(connection, file) for file in (*found.log, *found.features.values()))
        unusable["malformed_line"] = Counted(lines, "line of a CSV file that does not parse")
        return Written(read, unusable)


KUAIRAND = Adapter(
    name="kuairand",
    title="KuaiRand, recommendation on Kuaishou with random exposures",
    url="https://kuairand.com/",
    citation=(
        "C. Gao, S. Li, Y. Zhang, J. Chen, B. Li, W. Lei, P. Jiang, X. He. KuaiRand: An Unbiased Sequential"
        " Recommendation Dataset with Randomly Exposed Videos. CIKM 2022. doi:10.1145/3511808.3557624"
    ),
    write=write,
)
