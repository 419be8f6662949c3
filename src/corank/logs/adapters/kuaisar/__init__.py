"""KuaiSAR, Kuaishou's log of search and recommendation: a search, or what was sent at once, is a request."""

from __future__ import annotations

from pathlib import Path

from corank.logs.adapters.adapter import Adapter
from corank.logs.adapters.attributes import with_attributes
from corank.logs.adapters.kuaisar import counts, features, rows, source, tables
from corank.logs.adapters.plan import Plan
from corank.logs.adapters.reading import Files

__all__ = ["KUAISAR"]


def plan(src: Path) -> Plan:
    """What is made of KuaiSAR's files at `src`.

    Raises:
        CorankError: `src` does not hold the data set, or a file of attributes cannot be read.
    """
    files = source.find(src)
    attributes = features.of(files)
    sources = {
        stem: Files([files[stem]] if stem in files else [], columns)
        for stem, columns in source.COLUMNS.items()
    }
    log = tables.tables(attributes, friends="social_network" in files)
    return with_attributes(Plan(sources, rows.PARSED, tables.STEPS, log, counts.UNUSABLE), attributes)


KUAISAR = Adapter(
    name="kuaisar",
    title="KuaiSAR, search and recommendation on Kuaishou",
    url="https://kuaisar.github.io/",
    citation=(
        "Z. Sun, Z. Si, X. Zang, D. Leng, Y. Niu, Y. Song, X. Zhang, J. Xu."
        " KuaiSAR: A Unified Search And Recommendation Dataset. CIKM 2023. doi:10.1145/3583780.3615123"
    ),
    plan=plan,
)
