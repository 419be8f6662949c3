"""trivago's hotel search log (RecSys Challenge 2019): one clickout with its result list is one request."""

from __future__ import annotations

from pathlib import Path

from corank.logs.adapters.adapter import Adapter
from corank.logs.adapters.plan import Plan
from corank.logs.adapters.trivago import counts, rows, source, tables

__all__ = ["TRIVAGO"]


def plan(src: Path) -> Plan:
    """What is made of trivago's files at `src`.

    Raises:
        CorankError: `src` does not hold the data set.
    """
    found = source.find(src)
    log = tables.tables(described=bool(found["metadata"].paths))
    return Plan(found, rows.PARSED, tables.STEPS, log, counts.UNUSABLE, counts.READ, by_file=False)


TRIVAGO = Adapter(
    name="trivago",
    title="trivago hotel search log (RecSys Challenge 2019)",
    url="https://recsys.trivago.cloud/challenge/dataset/",
    citation=(
        "J. Adamczak, Y. Deldjoo, F. Bakhshandegan Moghaddam, P. Knees, G.-P. Leyson, P. Monreal."
        " Session-based Hotel Recommendations Dataset. ACM TIST 12(1), 2020. doi:10.1145/3412379"
    ),
    plan=plan,
)
