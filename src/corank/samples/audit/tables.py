"""The tables that every figure is made from, whether they come from a log or from samples.

`asked`: n, u (the user's number), split (index into SPLITS; 0 alone where there are no cuts), logged (not a
    pseudo request), apart (a list of unexposed items that was set apart from its request's), user_id, query:
    one row a list of a request that counts.
`listed`: n, u, split, logged, item_id, exposed, position, price, and, as booleans, click and purchase (own
    labels), any_click and any_purchase (of any channel, within the window): one row an item of their lists.
`clicks_before`: item_id and popularity, the clicks on it before validation begins.
`seen`: item_id of the items trained on, and whether an exposed row has it.
`tested`: the rows of `listed` in the test split, with popularity and whether the item was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa

from corank.logs.engine import name, quoted
from corank.samples.manifest import SPLITS
from corank.samples.selection import Selection
from corank.samples.split import Cuts

TRAIN, TEST = SPLITS.index("train"), SPLITS.index("test")
WHOLE = "all"
"""What the only split is called where there are no cuts."""


@dataclass(frozen=True)
class Column:
    """A column whose values of training and test are compared.

    Attributes:
        level: where it is: of the item in the list (`candidate`), of the `request`, the `item`, the `user`.
        name: its name.
        number: whether it holds numbers; else texts or truth values.
        grows: whether it tells what came before, and so grows along the log.
        rows: a query: `v`, its values, and how many rows have it of `before` and `after` (rows of one kind in
            training and in test), of `trained` and `scored` (what a model trains on, what it will score).
    """

    level: str
    name: str
    number: bool
    grows: bool
    rows: str


@dataclass(frozen=True)
class Source:
    """A log or samples, made ready for the figures.

    Attributes:
        connection: shows the tables.
        config: the settings.
        cuts: where validation and test begin; None if the log cannot be cut.
        columns: what is compared between training and test.
        skipped: columns of a kind that is not compared.
        priced: whether candidates have a numeric price.
        trained_on: what the model of `seen` and `trained` is trained on, in words.
    """

    connection: duckdb.DuckDBPyConnection
    config: Selection
    cuts: Cuts | None
    columns: tuple[Column, ...]
    skipped: tuple[str, ...]
    priced: bool
    trained_on: str

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits, by index."""
        return SPLITS if self.cuts else (WHOLE,)


def add_tested(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `tested` of the other tables."""
    connection.execute(f"""
        CREATE TABLE tested AS
        SELECT l.* EXCLUDE (split, logged), coalesce(p.popularity, 0) AS popularity,
            coalesce(s.exposed, false) AS seen_exposed, s.item_id IS NOT NULL AS seen_trained
        FROM listed l LEFT JOIN clicks_before p USING (item_id) LEFT JOIN seen s USING (item_id)
        WHERE l.split = {TEST}""")


def count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that a query gives; 0 for null."""
    (value,) = connection.execute(query).fetchone() or (0,)
    return int(value or 0)


def among(column: str, names: Sequence[str]) -> str:
    """The condition that a column holds one of some texts."""
    return f"{column} IN ({', '.join(quoted(name) for name in names)})" if names else "false"


def measured(value: str) -> str:
    """A numeric value as float64, null where it is not finite."""
    return f"CASE WHEN isfinite({value}::DOUBLE) THEN {value}::DOUBLE END"


def microseconds(time: datetime) -> int:
    """Since 1970 in UTC."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def is_number(kind: pa.DataType) -> bool:
    """Whether a column's values lie on a scale."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_category(kind: pa.DataType) -> bool:
    """Whether a column's values are names."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind))


def choose(
    level: str,
    schema: Sequence[tuple[str, pa.DataType]],
    rows: Callable[[str], str],
    growing: Collection[str] = (),
) -> tuple[list[Column], list[str]]:
    """The columns that can be compared, with their rows by quoted name; and the names of the others.

    Names that end in `_id` are keys, whatever they hold.
    """
    columns = [
        Column(level, column, is_number(kind), column in growing, rows(name(column)))
        for column, kind in schema
        if (is_number(kind) or is_category(kind)) and not column.endswith("_id")
    ]
    chosen = {column.name for column in columns}
    return columns, [column for column, _ in schema if column not in chosen]
