"""What adapters share to parse a source's rows once, each with the reason why it cannot be used if any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from corank.logs.adapters.reading import query
from corank.logs.adapters.reasons import Reasons, reason
from corank.logs.engine import name

MACROS = """
    CREATE MACRO number(x) AS CASE WHEN TRY_CAST(x AS DOUBLE) BETWEEN 0 AND 9_007_199_254_740_991
      THEN TRY_CAST(x AS DOUBLE) END;
    CREATE MACRO whole(x) AS CASE WHEN number(x) = floor(number(x)) THEN CAST(number(x) AS BIGINT) END;
    CREATE MACRO moment(x) AS CASE WHEN whole(x) BETWEEN 946_684_800_000 AND 4_102_444_800_000
      THEN whole(x) END;
    CREATE MACRO known(x) AS CASE WHEN lower(trim(x)) NOT IN ('', 'unknown', 'empty', '空', '-124')
      THEN trim(x) END;
    CREATE MACRO tokens(x) AS CASE WHEN regexp_full_match(x, '\\[[0-9, ]*\\]')
      THEN nullif(array_to_string(list_transform(regexp_extract_all(x, '[0-9]+'),
        lambda token: 'w' || token), ' '), '') END;
    CREATE MACRO day(x) AS nullif(date_diff('day', DATE '1970-01-01', TRY_CAST(left(x, 10) AS DATE)), 0);
"""
"""What text may stand for, null if it does not:

- `number`: a number from 0 that a double holds exactly enough;
- `whole`: a whole one, also as 3.0 or 1.68e+12, as numbers become that once had nulls beside them;
- `moment`: milliseconds since 1970 between the years 2000 and 2100;
- `known`: text that does not stand for a missing value;
- `tokens`: a list of word ids, [20, 34], as words, w20 w34, which no other number is taken for;
- `day`: a date as days since 1970-01-01, which itself stands for a missing one.
"""


def load(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    files: Sequence[Path],
    columns: Sequence[str],
    parsed: str,
    reasons: Reasons,
) -> dict[str, int]:
    """Make `table`: the files' rows in their order (`rowid`), parsed, with `reason` or null; counts by file.

    Without files the table is empty.

    Args:
        columns: what is read of each file, as text.
        parsed: what is selected of these columns.
        reasons: conditions on what was selected.

    Raises:
        CorankError: a file cannot be read or lacks a column.
    """

    def judged(rows: str) -> str:
        return f"SELECT *, {reason(reasons)} AS reason FROM (SELECT {parsed} FROM ({rows}))"

    nothing = ", ".join(f"CAST(NULL AS VARCHAR) AS {name(column)}" for column in columns)
    connection.execute(f"CREATE TABLE {table} AS {judged(f'SELECT {nothing} WHERE false')}")
    counts = dict[str, int]()
    for file in files:
        inserted = connection.execute(f"INSERT INTO {table} {judged(query(file, columns))}").fetchone()
        counts[file.name] = int(inserted[0]) if inserted else 0
    return counts
