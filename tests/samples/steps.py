"""The steps compiled once for a kind of ids, then run on one log after another.

Building and compiling Ibis expressions takes a second, running them on a small log milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import ibis
import pyarrow as pa
from tests.samples.generated import CUTS, schemas, tables
from tests.samples.oracle import ACTIONS, Log

from corank.samples.anchors import from_touch, listed_candidates
from corank.samples.config import Recipe, SampleConfig
from corank.samples.engine import Logs
from corank.samples.expansion import candidates_of, expanded
from corank.samples.exposures import shown, shown_to_anyone, shown_to_user
from corank.samples.histories import history_events, with_history
from corank.samples.labels import fates, own_labels
from corank.samples.popularity import item_clicks
from corank.samples.ranks import with_ranks
from corank.samples.requests import listed, numbered
from corank.samples.split import Cuts, timeline, with_split
from corank.samples.touches import touches


class Steps:
    """All steps of a recipe, with fixed cuts, seed and configuration."""

    def __init__(self, ids: str, recipe: Recipe, ratio: float, seed: int) -> None:
        self.ids = ids
        self._connection = ibis.duckdb.connect()
        self._sql: dict[str, str] = {}
        config = SampleConfig(unexposed_per_exposed=ratio, valid=0.25, test=0.3)
        cuts = Cuts(*(datetime.fromtimestamp(cut / 1e6, UTC) for cut in CUTS))
        for name, schema in schemas(ids).items():
            self._connection.create_table(name, schema=ibis.Schema.from_pyarrow(schema))
        log = Logs(**{name: self._connection.table(name) for name in schemas(ids)})

        found = self._step("listed", listed(log.requests, log.candidates, config.domains))
        self._step("timeline", timeline(found, config))
        requests = self._step("numbered", numbered(with_split(found, cuts), recipe, config, seed))
        history = self._step("history", history_events(log.events, requests, None))
        self._step("placed", with_history(requests, history))
        candidates = with_ranks(candidates_of(requests, log.candidates, seed), ["price"])
        samples = self._step("samples", expanded(candidates))
        fate = self._step("fates", fates(log.events, log.requests, requests, log.candidates, config))
        self._step("labels", own_labels(fate))
        asking = samples.select("_row", "_number", "item_id").inner_join(
            requests.select("_number", "timestamp", "user_id", "session_id"), "_number"
        )
        self._step("item_clicks", item_clicks(asking, log.events, config.click_actions))
        exposures = shown(log.requests, log.candidates)
        self._step("shown_to_user", shown_to_user(asking, exposures))
        self._step("shown_to_anyone", shown_to_anyone(asking, exposures))
        lists = listed_candidates(requests, log.candidates, ["price"])
        self._step("from_touch", from_touch(samples, lists, requests, log.events, ["price"]))
        for name, scope in (("user", ["user_id"]), ("session", ["user_id", "session_id"])):
            self._step(f"{name}_touches", touches(asking, log.events, scope, name, ACTIONS))

    def run(self, log: Log) -> dict[str, list[dict[str, Any]]]:
        """The rows of every step's result, for one log."""
        connection = self._connection.con
        for name, table in tables(log, self.ids).items():
            connection.execute(f"DELETE FROM {name}")
            connection.register("incoming", table)
            connection.execute(f"INSERT INTO {name} SELECT * FROM incoming")
            connection.unregister("incoming")
        results = {}
        for name, sql in self._sql.items():
            connection.execute(f"DELETE FROM {name}")
            connection.execute(f"INSERT INTO {name} {sql}")
            results[name] = _plain(connection.sql(f"FROM {name}").to_arrow_table())
        return results

    def close(self) -> None:
        self._connection.disconnect()

    def _step(self, name: str, table: Any) -> Any:
        self._sql[name] = str(ibis.to_sql(table, dialect="duckdb"))
        return self._connection.create_table(name, table)


def _plain(table: pa.Table) -> list[dict[str, Any]]:
    """Rows with times as whole microseconds."""
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(index, field.name, table[field.name].cast(pa.int64()))
    return [dict(row) for row in table.to_pylist()]
