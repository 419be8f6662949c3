"""Run and samples folders made up for the tests of the room."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from corank.evaluation import evaluate_predictions, predictions_of, write_evaluation
from corank.samples import SampleConfig

FINGERPRINT = "f" * 64


def predictions(noise: float, requests: int) -> pa.Table:
    """Lists of eight, half of them shown."""
    rows = requests * 8
    generator = np.random.default_rng(0)
    request, place = np.divmod(np.arange(rows), 8)
    relevance = generator.normal(size=rows)
    exposed = place < 4
    click = exposed & (generator.random(rows) < 1 / (1 + np.exp(-relevance)))
    logits = relevance + noise * generator.normal(size=rows)
    return pa.table(
        {
            "request_id": request,
            "user_id": request // 2,
            "item_id": place,
            "domain": pa.array(["search"] * rows),
            "timestamp": pa.array(np.arange(rows), pa.timestamp("us", tz="UTC")),
            "exposed": exposed,
            "position": pa.array(place + 1, mask=~exposed),
            "label_click": click.astype(np.int8),
            "label_purchase": np.zeros(rows, dtype=np.int8),
            "weight": np.ones(rows, dtype=np.float32),
            "score": 1 / (1 + np.exp(-logits)),
            "cold_item": place == 0,
            "cold_user": np.zeros(rows, dtype=bool),
        }
    )


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """A run folder below `runs`, complete unless told otherwise."""

    def make(
        name: str,
        model: str = "dcnv2_s",
        seed: int = 0,
        noise: float = 1.0,
        requests: int = 40,
        mixing: int = 0,
        evaluated: bool = True,
    ) -> Path:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        facts = {
            "model": model,
            "seed": seed,
            "versions": {"torch": "2.13.0"},
            "samples": {"path": "elsewhere", "fingerprint": FINGERPRINT},
            "parameters": {"embedding": 1000, "head": 11, "total": 1011},
            "seconds": 12.5,
            "best_step": 20,
            "best_metric": {"name": "gauc", "value": 0.61},
        }
        (folder / "run.json").write_text(json.dumps(facts))
        (folder / "config.json").write_text(json.dumps({"model": {"tokenizer": {"tokens": 4}}}))
        lines = [{"kind": "step", "step": step, "loss": 1 / step} for step in range(1, 31)]
        lines += [{"kind": "valid", "step": step, "gauc": 0.6 + step / 1000} for step in (10, 20, 30)]
        (folder / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        if evaluated:
            table = predictions(noise, requests)
            (folder / "predictions").mkdir()
            pq.write_table(table, folder / "predictions" / "test.parquet")
            write_evaluation(folder, "test", evaluate_predictions(predictions_of(table), resamples=5))
        if mixing:
            matrix = np.full((mixing, mixing), 1 / mixing, dtype=np.float32)
            save_file({"block_0": matrix, "block_1": matrix}, folder / "mixing.safetensors")
        return folder

    return make


@pytest.fixture
def make_samples(tmp_path: Path) -> Callable[..., Path]:
    """A samples folder of which only the manifest is there."""

    def make(place: str = "runs/samples", fingerprint: str = FINGERPRINT) -> Path:
        folder = tmp_path / place
        folder.mkdir(parents=True)
        size = {
            "requests": 1234,
            "requests_without_click": 3,
            "exposed": {"samples": 5000, "clicks": 500, "purchases": 50},
            "unexposed": {"samples": 10_000},
            "label_sources": {"own": 500},
            "samples_per_exposed": 3.0,
            "clicks_per_exposed": 1.0,
        }
        manifest = {
            "recipe": "unexposed",
            "seed": 0,
            "config": SampleConfig().model_dump(mode="json"),
            "engine": "duckdb",
            "versions": {},
            "inputs": {},
            "valid_from": "2026-01-20T00:00:00Z",
            "test_from": "2026-01-25T00:00:00Z",
            "sizes": {"train": size},
            "left_out": {},
            "events": {},
            "actions": ["click"],
            "columns": {},
            "items": 77,
            "histories": 99,
            "labels": 9,
            "fingerprint": fingerprint,
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    return make
