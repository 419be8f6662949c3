"""What attributed labels would be on the test lists: the items that their users touch afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from corank.evaluation.predictions import Predictions
from trivago_columns import flat

QUERY = """
    WITH later AS (
        SELECT DISTINCT rows.row
        FROM read_parquet($logs || '/events.parquet') e
        ASOF JOIN rows
            ON e.user_id = rows.user_id AND e.item_id = rows.item_id AND e.timestamp > rows.timestamp
        WHERE list_contains($actions, e.action)
    )
    SELECT rows.label_click = 1 AS clicked, later.row IS NOT NULL AS touched
    FROM rows LEFT JOIN later USING (row) ORDER BY rows.row
"""
"""Each touch counts for the latest list before it that shows the item, as attribution has it."""

Flags = np.ndarray[Any, np.dtype[np.bool_]]


def touched_later(samples: Path, logs: Path, actions: Sequence[str]) -> tuple[Flags, Flags]:
    """For each row of the test split: is it the list's clickout, and does its user touch it afterwards."""
    table = flat(samples, "test")
    rows = table.append_column("row", [np.arange(table.num_rows)])
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("rows", rows)
        found = connection.execute(QUERY, {"logs": str(logs), "actions": list(actions)}).fetchnumpy()
    return np.asarray(found["clicked"], np.bool_), np.asarray(found["touched"], np.bool_)


def judged_by(predictions: Predictions, clicked: Flags, touched: Flags) -> Predictions:
    """The same scores of the items that were not clicked, those touched later as positives."""
    return replace(predictions, click=touched).take(~clicked)
