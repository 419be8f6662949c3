"""The tables of `tables` from a log, with the rules of the samples."""

from __future__ import annotations

import duckdb
import ibis

from corank.errors import CorankError, unknown
from corank.logs import LogTables
from corank.logs.engine import parquet
from corank.samples.audit.config import AuditConfig
from corank.samples.audit.log_columns import log_columns
from corank.samples.audit.log_rows import add_labels, add_listed, add_training
from corank.samples.audit.tables import (
    TRAIN,
    Source,
    add_tested,
    among,
    count,
    is_number,
    microseconds,
)
from corank.samples.split import Cuts, cuts, timeline


def log_source(
    connection: duckdb.DuckDBPyConnection, logs: LogTables, config: AuditConfig
) -> tuple[Source, str]:
    """Make the tables; the second is why the log cannot be cut, or nothing.

    Raises:
        CorankError: a request, item or user has two rows, an action or domain does not occur, no request of
            the domains has a list, or the cuts asked for leave nothing on one side.
    """
    for table in logs.tables:
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {parquet(logs.files(table))}")
    _refuse_repeated(connection, logs)
    _refuse_unknown(connection, config)
    _find(connection, logs, config)
    where, why = _cut(connection, config)
    _ask(connection, where)
    schema = logs.schema("candidates")
    priced = "price" in schema.names and is_number(schema.field("price").type)
    add_listed(connection, priced)
    add_labels(connection, config)
    if where:
        add_training(connection, config, where)
        add_tested(connection)
    columns, skipped = log_columns(logs, config)
    return Source(
        connection, config, where, columns, skipped, priced, "the exposed rows of training requests"
    ), why


def _refuse_repeated(connection: duckdb.DuckDBPyConnection, logs: LogTables) -> None:
    for table, key in (("requests", "request_id"), ("items", "item_id"), ("users", "user_id")):
        repeated = count(connection, f"SELECT count(*) - count(DISTINCT {key}) FROM {table}")
        if repeated:
            raise CorankError(
                f"{logs.path(table)}: {key} has duplicates or nulls ({repeated} rows too many);"
                " see: corank logs check"
            )


def _refuse_unknown(connection: duckdb.DuckDBPyConnection, config: AuditConfig) -> None:
    """Domains must occur; so must actions, but for the usual ones, whose absence is a finding."""
    usual = AuditConfig()
    found = _values(connection, "events", "action")
    for key in ("click_actions", "purchase_actions"):
        for action in getattr(config, key):
            if action not in found and action not in getattr(usual, key):
                raise unknown("action", action, found, where=f"{key} (table events)")
    found = _values(connection, "requests", "domain")
    for domain in config.domains:
        if domain not in found:
            raise unknown("domain", domain, found, where="domains (table requests)")


def _values(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> list[str]:
    query = f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1"
    return [value for (value,) in connection.execute(query).fetchall()]


def _find(connection: duckdb.DuckDBPyConnection, logs: LogTables, config: AuditConfig) -> None:
    """The requests that count, and the size of every list."""
    connection.execute("""
        CREATE TABLE lists AS
        SELECT request_id, count(*) AS candidates, count(*) FILTER (exposed) AS exposed
        FROM candidates GROUP BY request_id""")
    connection.execute(f"""
        CREATE TABLE found AS
        SELECT row_number() OVER (ORDER BY timestamp, request_id)::INTEGER AS n,
            dense_rank() OVER (ORDER BY user_id)::INTEGER AS u,
            request_id, user_id, timestamp, epoch_us(timestamp) AS moment, query
        FROM requests SEMI JOIN lists USING (request_id) WHERE {among("domain", config.domains)}""")
    if not count(connection, "SELECT count(*) FROM found"):
        domains = ", ".join(config.domains)
        raise CorankError(f"{logs.path('candidates')}: no candidates for any request of {domains}")


def _cut(connection: duckdb.DuckDBPyConnection, config: AuditConfig) -> tuple[Cuts | None, str]:
    """The cuts, as a build of samples makes them; or why there are none."""
    table = ibis.duckdb.from_connection(connection).table("found")
    (when,) = timeline(table.select("timestamp", "request_id"), config).to_pyarrow().to_pylist()
    try:
        return cuts(when, config), ""
    except CorankError as error:
        if config.valid_from is not None:
            raise
        return None, str(error)


def _ask(connection: duckdb.DuckDBPyConnection, where: Cuts | None) -> None:
    """Add `split` and `until`, the end of the split."""
    split, until = str(TRAIN), "NULL::BIGINT"
    if where:
        valid, test = microseconds(where.valid_from), microseconds(where.test_from)
        split = f"CASE WHEN moment < {valid} THEN 0 WHEN moment < {test} THEN 1 ELSE 2 END"
        until = f"CASE WHEN moment < {valid} THEN {valid} WHEN moment < {test} THEN {test} END"
    connection.execute(f"""
        CREATE TABLE asked AS
        SELECT *, ({split})::TINYINT AS split, {until} AS until, true AS logged, false AS apart FROM found""")
