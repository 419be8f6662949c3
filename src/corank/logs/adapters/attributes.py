"""Files of attributes of users or items, which may be missing or lack columns, as parts of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from corank.logs.adapters.parsing import Parsed
from corank.logs.adapters.plan import Plan
from corank.logs.adapters.reading import Files, columns_of
from corank.logs.engine import name


@dataclass(frozen=True)
class Attribute:
    """A column of ours, made of the first of the `published` columns that the file has; `x` is its text."""

    published: tuple[str, ...]
    value: str


@dataclass(frozen=True)
class Attributes:
    """A file of attributes by `key`, to be the table `table`: a row for each id in use (`id` of `seen`).

    Attributes:
        columns: those of ours that the file has, with what they are made of.
    """

    table: str
    file: Path
    key: str
    columns: Mapping[str, tuple[str, str]]
    seen: str

    @property
    def files(self) -> Files:
        """What is read."""
        return Files([self.file], [self.key, *dict.fromkeys(of for of, _ in self.columns.values())])

    @property
    def parsed(self) -> Parsed:
        """The rows, as the table `TABLE_rows`."""
        columns = [
            f"{value.format(x=name(of))} AS {name(ours)}" for ours, (of, value) in self.columns.items()
        ]
        return Parsed(self.table, ", ".join([f"whole({name(self.key)}) AS id", *columns]))

    @property
    def step(self) -> str:
        """The query for the table: the first row of each id in use."""
        return f"""
            SELECT * EXCLUDE (file, reason) FROM {self.table}_rows r SEMI JOIN {self.seen} USING (id)
            QUALIFY row_number() OVER (PARTITION BY id ORDER BY r.rowid) = 1"""


def attributes(table: str, file: Path, key: str, known: Mapping[str, Attribute], seen: str) -> Attributes:
    """A file of attributes with those of the `known` columns that it has.

    Raises:
        CorankError: the file cannot be read.
    """
    found = columns_of(file)
    firsts = {ours: next((of for of in a.published if of in found), None) for ours, a in known.items()}
    columns = {ours: (of, known[ours].value) for ours, of in firsts.items() if of}
    return Attributes(table, file, key, columns, seen)


def with_attributes(plan: Plan, attributes: Sequence[Attributes]) -> Plan:
    """The plan, reading these files too: after the others, and joined to the ids in use last."""
    return replace(
        plan,
        sources={**plan.sources, **{its.table: its.files for its in attributes}},
        parsed={**plan.parsed, **{f"{its.table}_rows": its.parsed for its in attributes}},
        steps={**plan.steps, **{its.table: its.step for its in attributes}},
        unusable={**plan.unusable, **_unused(attributes)},
    )


def _unused(attributes: Sequence[Attributes]) -> dict[str, tuple[str, str]]:
    """The queries that count the rows of attributes that are not used, and what they mean."""

    def total(counted: str) -> str:
        each = " UNION ALL ".join(
            f"SELECT {counted.format(table=its.table)} AS rows FROM {its.table}_rows" for its in attributes
        )
        return f"SELECT sum(rows) FROM ({each})" if each else "SELECT 0"

    return {
        "attributes_without_id": (
            total("count(*) - count(id)"),
            "row of attributes whose id is not a whole number",
        ),
        "attributes_repeated": (
            total("count(id) - count(DISTINCT id)"),
            "row of attributes whose id an earlier row of the file has",
        ),
        "attributes_unseen": (
            total("count(DISTINCT id) - (SELECT count(*) FROM {table})"),
            "row of attributes of a user or an item without any impression",
        ),
    }


def joined(
    attributes: Sequence[Attributes],
    seen: str,
    key: str,
    required: Sequence[str] = (),
    more: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
    """The query for the ids in use (the table `seen`) as `key`, with their attributes.

    Columns that are `required` come first: null text where no table has them. `more` are columns of other
    tables by `id`.
    """
    tables: dict[str, Iterable[str]] = {its.table: its.columns for its in attributes if its.seen == seen}
    tables |= more
    columns = dict.fromkeys(required, "CAST(NULL AS VARCHAR)")
    columns |= {column: f"{table}.{name(column)}" for table, its in tables.items() for column in its}
    selected = ", ".join([f"id AS {key}", *(f"{of} AS {name(column)}" for column, of in columns.items())])
    joins = " ".join(f"LEFT JOIN {table} USING (id)" for table in tables)
    return f"SELECT {selected} FROM {seen} {joins} ORDER BY {key}"
