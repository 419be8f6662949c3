"""JDsearch (JD.com, SIGIR 2023): a user's last search is a request, the year before it is events."""

from __future__ import annotations

from corank.logs.adapters.adapter import Adapter
from corank.logs.adapters.jdsearch import counts, rows, tables
from corank.logs.adapters.jdsearch.source import FILES
from corank.logs.adapters.staged import Staged

__all__ = ["JDSEARCH"]

_IMPORT = Staged(
    name="jdsearch",
    files=FILES,
    macros=rows.MACROS,
    parsed=rows.PARSED,
    steps=tables.STEPS,
    tables=tables.TABLES,
    read=counts.READ,
    unusable=counts.UNUSABLE,
)

JDSEARCH = Adapter(
    name="jdsearch",
    title="JDsearch personalised product search (SIGIR 2023)",
    url="https://github.com/rucliujn/JDsearch",
    citation=(
        "J. Liu, Z. Dou, G. Tang, S. Xu. JDsearch: A Personalized Product Search Dataset with Real Queries"
        " and Full Interactions. SIGIR 2023. doi:10.1145/3539618.3591900"
    ),
    write=_IMPORT.write,
)
