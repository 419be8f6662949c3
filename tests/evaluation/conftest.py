"""Predictions made up for the tests of the room."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

MakeTable = Callable[..., pa.Table]
MakeRun = Callable[..., Path]


@pytest.fixture(scope="session")
def make_table() -> MakeTable:
    """A predictions table: half of each list was shown; `noise` spoils the scores."""

    def make(requests: int = 60, length: int = 12, noise: float = 1.0, seed: int = 0) -> pa.Table:
        rows = requests * length
        generator = np.random.default_rng(0)
        request, place = np.divmod(np.arange(rows), length)
        relevance = generator.normal(size=rows)
        exposed = place < length // 2
        click = exposed & (generator.random(rows) < 1 / (1 + np.exp(1 - relevance)))
        logits = relevance - 1 + noise * np.random.default_rng([seed, 1]).normal(size=rows)
        return pa.table(
            {
                "request_id": request + 1000,
                "user_id": pa.array([f"user {number}" for number in request // 3]),
                "item_id": place * 7,
                "domain": pa.array(np.where(request % 2, "search", "rec")),
                "timestamp": pa.array(np.arange(rows), pa.timestamp("us", tz="UTC")),
                "exposed": exposed,
                "position": pa.array(place + 1, mask=~exposed),
                "label_click": click.astype(np.int8),
                "label_purchase": (click & (generator.random(rows) < 0.4)).astype(np.int8),
                "weight": np.ones(rows, dtype=np.float32),
                "score": (1 / (1 + np.exp(-logits))).astype(np.float32),
                "cold_item": generator.random(rows) < 0.2,
                "cold_user": request % 10 == 0,
            }
        )

    return make


def with_purchase_scores(table: pa.Table, seed: int = 0) -> pa.Table:
    """A score of purchases that knows a little of them, in another order than the clicks' score."""
    noise = np.random.default_rng([seed, 2]).random(table.num_rows)
    scores = 0.2 * noise + 0.1 * np.asarray(table["label_purchase"])
    return table.append_column("score_purchase", pa.array(scores.astype(np.float32)))


@pytest.fixture
def make_run(tmp_path: Path, make_table: MakeTable) -> MakeRun:
    """A run folder with predictions of `test`."""

    def make(
        name: str,
        table: pa.Table | None = None,
        model: str = "dcnv2_s",
        seed: int = 0,
        rate: float = 0.1,
        fingerprint: str = "f" * 64,
    ) -> Path:
        folder = tmp_path / name
        (folder / "predictions").mkdir(parents=True)
        run = {"model": model, "seed": seed, "samples": {"path": "s", "fingerprint": fingerprint}}
        (folder / "run.json").write_text(json.dumps(run))
        (folder / "config.json").write_text(json.dumps({"seed": seed, "rate": rate}))
        pq.write_table(make_table() if table is None else table, folder / "predictions" / "test.parquet")
        return folder

    return make
