"""What the training labels of the study of recipes are, and what tells unexposed rows from exposed ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import lightgbm
import numpy as np

from corank.evaluation.areas import auc
from corank.features import FeatureSpec
from corank.features.fit import fit_features
from corank.files import fingerprint
from corank.samples import read_manifest
from trivago_columns import columns
from trivago_samples import SAMPLES
from trivago_study import SPEC

LISTED = """
    SELECT request_id, user_id, timestamp, unnest(item_id) AS item_id, unnest(exposed) AS exposed,
        unnest(label_source) AS source, unnest(user_touches) > 0 AS touched,
        unnest(list_touch_order) IS NOT DISTINCT FROM 1 AS last_touched
    FROM read_parquet($store || '/train/*.parquet')
"""
COUNTED = f"""
    WITH rows AS ({LISTED}),
    clicks AS (
        SELECT user_id, item_id, timestamp FROM read_parquet($logs || '/events.parquet')
        WHERE action = 'click'
    ),
    added AS (SELECT * FROM rows WHERE source LIKE 'click_%'),
    next_click AS (
        SELECT a.request_id, a.item_id, arg_min(c.item_id, c.timestamp) = a.item_id AS same
        FROM added a JOIN clicks c ON c.user_id = a.user_id AND c.timestamp > a.timestamp
        GROUP BY a.request_id, a.item_id
    )
    SELECT count(DISTINCT request_id) AS lists, count(*) AS samples,
        count(*) FILTER (NOT exposed) AS unexposed, count(*) FILTER (source = 'own') AS own,
        count(*) FILTER (source = 'click_exposed') AS click_exposed,
        count(*) FILTER (source = 'click_unexposed') AS click_unexposed,
        count(DISTINCT CASE WHEN source LIKE 'click_%' THEN request_id END) AS lists_with_added,
        avg(touched::INT) FILTER (source = 'own') AS own_touched_before,
        avg(touched::INT) FILTER (source LIKE 'click_%') AS added_touched_before,
        avg(last_touched::INT) FILTER (source = 'own') AS own_last_touched,
        avg(last_touched::INT) FILTER (source LIKE 'click_%') AS added_last_touched,
        (SELECT count(*) FILTER (same) FROM next_click) / (SELECT nullif(count(*), 0) FROM added)
            AS added_clicked_next
    FROM rows
"""
BY_ACTION = f"""
    WITH rows AS ({LISTED}), added AS (SELECT request_id, item_id FROM rows WHERE source LIKE 'click_%')
    SELECT action, count(DISTINCT (added.request_id, added.item_id)) AS labels FROM added
    JOIN read_parquet($store || '/labels.parquet') l
        ON l.labelled_request_id = added.request_id AND l.item_id = added.item_id
    GROUP BY action
"""


def described(work: Path) -> list[dict[str, Any]]:
    """For each store: sizes, labels by source, added labels by action, and what differs from `exposed`.

    `changed` names the list columns in which a row that the list showed differs from the row of `exposed`;
    `told_apart` is the AUC with which the features tell unexposed rows from exposed ones, `told_by` the three
    that do most of it.
    """
    stores, rows = work / "samples", []
    with duckdb.connect() as connection:
        for name, how in SAMPLES.items():
            values = {"store": str(stores / name), "logs": str(work / "logs")}
            counted = connection.execute(COUNTED, values)
            facts = dict(zip([c[0] for c in counted.description], counted.fetchone() or (), strict=True))
            by_action = connection.execute(BY_ACTION, {"store": values["store"]}).fetchall()
            shares = {f"added_{action}": labels for action, labels in sorted(by_action)}
            row: dict[str, Any] = {
                "store": name,
                "log": how.log,
                "recipe": how.recipe,
                "train_same_as": how.same_as or "",
            }
            row |= facts | shares
            row["changed"] = " ".join(_changed(connection, stores / "exposed", stores / name))
            if facts["unexposed"]:
                row |= told_apart(stores / name)
            row["valid_test"] = (
                fingerprint(stores / name / "valid")[:8] + fingerprint(stores / name / "test")[:8]
            )
            rows.append(row)
    return rows


def _changed(connection: duckdb.DuckDBPyConnection, base: Path, store: Path) -> list[str]:
    """List columns whose values differ between two stores on the rows that `base` holds."""
    names = [name for name, column in read_manifest(base).columns.items() if column.kind == "list"]
    unnested = ", ".join(f'unnest("{name}") AS "{name}"' for name in names)
    both = " JOIN ".join(
        f"(SELECT request_id, {unnested} FROM read_parquet('{folder}/train/*.parquet')) {alias}"
        for folder, alias in ((base, "a"), (store, "b"))
    )
    differ = ", ".join(f'count(*) FILTER (a."{name}" IS DISTINCT FROM b."{name}")' for name in names)
    found = connection.execute(f"SELECT {differ} FROM {both} USING (request_id, item_id)").fetchone() or ()
    return [name for name, count in zip(names, found, strict=True) if count]


def told_apart(store: Path) -> dict[str, Any]:
    """AUC of boosted trees that tell exposed from unexposed rows, fitted on half of the training lists."""
    features = fit_features(store, FeatureSpec.read(SPEC))
    train = columns(store, features, "train")
    half = int(np.cumsum(train.sizes)[len(train.sizes) // 2])
    data = lightgbm.Dataset(
        train.values[:half], train.exposed[:half].astype(float), categorical_feature=train.categories
    )
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 0}, data, 100)
    gains = np.argsort(-booster.feature_importance("gain"), kind="stable")[:3]
    return {
        "told_apart": auc(np.asarray(booster.predict(train.values[half:])), train.exposed[half:]),
        "told_by": " ".join(train.names[place] for place in gains),
    }
