"""The tables of `tables` from a samples folder."""

from __future__ import annotations

import duckdb

from corank.logs.engine import parquet, quoted
from corank.samples.audit.stored import Stored
from corank.samples.audit.tables import (
    TEST,
    TRAIN,
    Column,
    Source,
    add_tested,
    among,
    choose,
    is_number,
    measured,
    microseconds,
)
from corank.samples.exposures import EXPOSURE_COLUMNS
from corank.samples.manifest import LABELS, QUERY_SOURCE
from corank.samples.split import Cuts
from corank.samples.touches import touch_columns

NOT_COMPARED = {"request_id", "user_id", "timestamp", "query", QUERY_SOURCE, "history_offset"}
NOT_COMPARED |= {"history_length", "item_id", "exposed", "position", *LABELS}
"""Columns that are keys or outcomes, and never inputs."""

LISTED = ("item_id", "exposed", "position", *LABELS)


def samples_source(connection: duckdb.DuckDBPyConnection, stored: Stored) -> Source:
    """Make the tables; `listed` has the columns of the labels too, and `ledger` is labels.parquet."""
    manifest, kinds = stored.manifest, stored.kinds
    in_list = [name for name, column in manifest.columns.items() if column.kind == "list"]
    priced = "price" in in_list and is_number(kinds["price"])
    _show(connection, stored)
    connection.execute(f"""
        CREATE TABLE asked AS
        SELECT _n AS n, _split AS split, {QUERY_SOURCE} = 'logged' AS logged, {_apart(stored)} AS apart,
            dense_rank() OVER (ORDER BY user_id)::INTEGER AS u, user_id, query FROM store""")
    price = measured("unnest(price)") if priced else "NULL::DOUBLE"
    connection.execute(f"""
        CREATE TABLE listed AS
        SELECT l.*, a.u, a.split, a.logged, coalesce(label_source = 'own', false) AS click,
            coalesce(purchase_source = 'own', false) AS purchase,
            anywhere_click = 1 AS any_click, anywhere_purchase = 1 AS any_purchase
        FROM (SELECT _n AS n, {", ".join(f"unnest({name}) AS {name}" for name in LISTED)}, {price} AS price
              FROM store) l JOIN asked a USING (n)""")
    connection.execute(f"""
        CREATE TABLE clicks_before AS SELECT item_id, count(*) AS popularity FROM ledger
        WHERE {among("action", manifest.config.click_actions)}
            AND epoch_us(timestamp) < {microseconds(manifest.valid_from)} GROUP BY item_id""")
    connection.execute(f"""
        CREATE TABLE seen AS SELECT item_id, bool_or(exposed AND logged) AS exposed FROM listed
        WHERE split = {TRAIN} GROUP BY item_id""")
    connection.execute(f"""
        CREATE TABLE weights_item AS
        SELECT item_id, count(*) FILTER (split = {TRAIN} AND logged AND exposed) AS before,
            count(*) FILTER (split = {TEST} AND exposed) AS after,
            count(*) FILTER (split = {TRAIN}) AS trained, count(*) FILTER (split = {TEST}) AS scored
        FROM listed GROUP BY item_id""")
    add_tested(connection)
    compared, skipped = _columns(stored, in_list)
    cuts = Cuts(manifest.valid_from, manifest.test_from)
    return Source(connection, manifest.config, cuts, compared, skipped, priced, "the training samples")


def _show(connection: duckdb.DuckDBPyConnection, stored: Stored) -> None:
    """The files as they are, the requests numbered; no column of samples begins with an underscore."""
    number = "(file_index::BIGINT << 40) + file_row_number"
    parts = " UNION ALL BY NAME ".join(
        f"SELECT *, {place}::TINYINT AS _split, ({place}::BIGINT << 56) + {number} AS _n"
        f" FROM {parquet(files)}"
        for place, files in enumerate(stored.splits.values())
    )
    connection.execute(f"CREATE VIEW store AS {parts}")
    for view, file in (("ledger", "labels"), ("items", "items")):
        connection.execute(
            f"CREATE VIEW {view} AS SELECT * FROM {parquet([stored.folder / f'{file}.parquet'])}"
        )


def _apart(stored: Stored) -> str:
    """Whether a row of the store is a list of unexposed items that was set apart."""
    domain = stored.manifest.config.unexposed_domain
    return "false" if domain is None else f"coalesce(domain = {quoted(domain)}, false)"


def _columns(stored: Stored, in_list: list[str]) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """What is compared: every column of lists, requests and items that may be an input."""
    weights = (
        f"(_split = {TRAIN} AND _logged AND _shown)::TINYINT AS before,"
        f" (_split = {TEST} AND _shown)::TINYINT AS after, (_split = {TRAIN})::TINYINT AS trained,"
        f" (_split = {TEST})::TINYINT AS scored"
    )
    told = f"_split, {QUERY_SOURCE} = 'logged' AS _logged"
    only = f"FROM store WHERE _split IN ({TRAIN}, {TEST})"
    inputs = {name: kind for name, kind in stored.kinds.items() if name not in NOT_COMPARED}
    items = {field.name: field.type for field in stored.items if field.name not in ("item_id", "title")}
    if len(stored.manifest.config.domains) == 1:
        inputs.pop("domain", None)

    def lists(column: str) -> str:
        unnested = f"unnest({column}) AS v, unnest(exposed) AS _shown"
        return f"SELECT v, {weights} FROM (SELECT {told}, {unnested} {only})"

    def requests(column: str) -> str:
        return (
            f"SELECT v, {weights} FROM (SELECT {told}, {column} AS v, NOT {_apart(stored)} AS _shown {only})"
        )

    def of_items(column: str) -> str:
        counts = "w.before, w.after, w.trained, w.scored"
        return f"SELECT i.{column} AS v, {counts} FROM items i JOIN weights_item w USING (item_id)"

    growing = {"item_clicks", *EXPOSURE_COLUMNS, *touch_columns("user", stored.manifest.actions)}
    columns: list[Column] = []
    skipped: list[str] = []
    for level, kinds, rows in (
        ("candidate", {name: kind for name, kind in inputs.items() if name in in_list}, lists),
        ("request", {name: kind for name, kind in inputs.items() if name not in in_list}, requests),
        ("item", items, of_items),
    ):
        found, others = choose(level, list(kinds.items()), rows, growing)
        columns += found
        skipped += others
    return tuple(columns), tuple(skipped)
