"""JDsearch (JD.com, SIGIR 2023): a user's last search is a request, the year before it is events."""

from __future__ import annotations

from pathlib import Path

from corank.logs.adapters.adapter import Adapter
from corank.logs.adapters.jdsearch import counts, rows, tables
from corank.logs.adapters.jdsearch.source import FILES
from corank.logs.adapters.plan import Plan

__all__ = ["JDSEARCH"]


def plan(src: Path) -> Plan:
    """What is made of JDsearch's files in the folder `src`.

    Raises:
        CorankError: `src` does not hold the data set.
    """
    return Plan(FILES.find(src), rows.PARSED, tables.STEPS, tables.TABLES, counts.UNUSABLE, counts.READ)


JDSEARCH = Adapter(
    name="jdsearch",
    title="JDsearch personalised product search (SIGIR 2023)",
    url="https://github.com/rucliujn/JDsearch",
    citation=(
        "J. Liu, Z. Dou, G. Tang, S. Xu. JDsearch: A Personalized Product Search Dataset with Real Queries"
        " and Full Interactions. SIGIR 2023. doi:10.1145/3539618.3591900"
    ),
    plan=plan,
)
