"""KuaiRand, Kuaishou's log with random exposures: what one tab showed a user at one time is a request."""

from __future__ import annotations

from pathlib import Path

from corank.logs.adapters.adapter import Adapter
from corank.logs.adapters.attributes import with_attributes
from corank.logs.adapters.kuairand import counts, features, rows, source, tables
from corank.logs.adapters.plan import Plan
from corank.logs.adapters.reading import Files

__all__ = ["KUAIRAND"]


def plan(src: Path) -> Plan:
    """What is made of KuaiRand's files at `src`.

    Raises:
        CorankError: `src` does not hold the data set, or a file of attributes cannot be read.
    """
    found = source.find(src)
    attributes = features.of(found.features)
    sources = {"log": Files(found.log, source.LOG)}
    log = tables.tables(attributes)
    return with_attributes(Plan(sources, rows.PARSED, tables.STEPS, log, counts.UNUSABLE), attributes)


KUAIRAND = Adapter(
    name="kuairand",
    title="KuaiRand, recommendation on Kuaishou with random exposures",
    url="https://kuairand.com/",
    citation=(
        "C. Gao, S. Li, Y. Zhang, J. Chen, B. Li, W. Lei, P. Jiang, X. He. KuaiRand: An Unbiased Sequential"
        " Recommendation Dataset with Randomly Exposed Videos. CIKM 2022. doi:10.1145/3511808.3557624"
    ),
    plan=plan,
)
