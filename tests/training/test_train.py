"""Training through its verb: golden losses, resuming after a kill, what a run holds, refusals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from tests.training.killing import KillAfter

from corank import verbs
from corank.errors import CorankError
from corank.models import list_models
from corank.training import Run

SETTINGS = ("epochs=2", "reader.batch_samples=512", "log_every=1", "optimizer.warmup_steps=5")


def steps(run: Path, kind: str = "step") -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "steps.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


@pytest.fixture(scope="module")
def run(market_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    verbs.train(market_samples, out, "unimixer_lite_xs", seed=1, settings=SETTINGS)
    return out


def test_a_run_holds_all_that_a_later_step_needs(run: Path, market_samples: Path) -> None:
    there = {str(p.relative_to(run)) for p in run.rglob("*") if p.is_file()}
    assert {
        "run.json",
        "config.json",
        "model.safetensors",
        "steps.jsonl",
        "mixing.safetensors",
        "features/spec.yaml",
    } <= there
    assert not [name for name in there if name.endswith((".pkl", ".pt", ".pth"))]
    info = Run(run).info()
    assert info.best_metric is not None
    assert info.steps == len(steps(run))
    best = max(steps(run, "valid"), key=lambda line: line["gauc"])
    assert (info.best_metric.value, info.best_step) == (best["gauc"], best["step"])
    assert (
        info.samples.fingerprint == json.loads((market_samples / "manifest.json").read_text())["fingerprint"]
    )
    matrices = load_file(run / "mixing.safetensors")
    assert all(torch.allclose(w.sum(0), torch.ones(len(w)), atol=0.05) for w in matrices.values())


def test_training_learns(market_samples: Path, tmp_path: Path) -> None:
    """In six epochs: after two, an AUC over 43 clicks is .56 to .66, by the seed."""
    run = tmp_path / "run"
    verbs.train(market_samples, run, "unimixer_lite_xs", seed=1, settings=[*SETTINGS, "epochs=6"])
    losses = [line["loss"] for line in steps(run)]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
    assert steps(run, "valid")[-1]["auc"] > 0.65


def test_the_last_epoch_may_be_a_part_of_one(run: Path, market_samples: Path, tmp_path: Path) -> None:
    """Judged where it ends, and the same as a longer run's part where the rate is constant."""
    whole = len(steps(run)) // 2
    settings = [*SETTINGS, "optimizer.decay=constant", "evaluations_per_epoch=2"]
    ran = {}
    for epochs in (0.01, 0.7, 1.2, 2):
        folder = tmp_path / str(epochs)
        info = verbs.train(market_samples, folder, "dlrm_mlp_xs", 1, [*settings, f"epochs={epochs}"])
        assert info.steps is not None
        assert info.steps == len(steps(folder)) == steps(folder, "valid")[-1]["step"]
        assert abs(info.steps - max(1, round(whole * epochs))) <= 1
        ran[epochs] = [line["loss"] for line in steps(folder)]
    assert ran[2][: len(ran[1.2])] == ran[1.2]
    assert ran[2][: len(ran[0.7])] == ran[0.7]


def test_the_same_seed_gives_the_same_bits_and_another_does_not(
    run: Path, market_samples: Path, tmp_path: Path
) -> None:
    verbs.train(market_samples, tmp_path / "again", "unimixer_lite_xs", seed=1, settings=SETTINGS)
    verbs.train(market_samples, tmp_path / "other", "unimixer_lite_xs", seed=2, settings=SETTINGS)
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != (run / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    "model", ["unimixer_lite_xs", "dcnv2_xs", "rankmixer_sparse_xs", "fm_xs", "hhsft_xs"]
)
def test_interrupted_runs_resume_to_the_same_bits(market_samples: Path, tmp_path: Path, model: str) -> None:
    """Interrupted before, at and after checkpoints, twice in one run, dropout on."""
    settings = [*SETTINGS, "checkpoint_every=4"]
    if model == "dcnv2_xs":
        settings += ["model.dropout=0.2", "epochs=1.5"]
    if model == "fm_xs":
        settings.append("loss.position.correct=tower")  # has weights of its own, beside the model's
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    verbs.train(market_samples, whole, model, 0, settings)
    total = len(steps(whole))
    for left in (3, 9, total // 2 + 3):
        with pytest.raises(KeyboardInterrupt):
            verbs.train(market_samples, cut, model, 0, settings, resume=True, progress=KillAfter(left))
    verbs.train(market_samples, cut, model, 0, settings, resume=True)
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert [(x["step"], x["loss"]) for x in steps(cut)] == [(x["step"], x["loss"]) for x in steps(whole)]
    last = [load_file(next(r.glob("checkpoint/*/optimizer.safetensors"))) for r in (whole, cut)]
    assert all(torch.equal(last[0][key], last[1][key]) for key in last[0])


def test_a_process_killed_outright_resumes_to_the_same_bits(market_samples: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    verbs.train(market_samples, whole, "dlrm_mlp_xs", 0, [*SETTINGS, "checkpoint_every=3"])
    command = [sys.executable, "-m", "corank", "train", str(market_samples), str(cut), "--resume"]
    command += ["--model", "dlrm_mlp_xs", "--set", "checkpoint_every=3", "--quiet"]
    for setting in SETTINGS:
        command += ["--set", setting]
    process = subprocess.Popen(command)
    while not list(cut.glob("checkpoint/step-*")) and process.poll() is None:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("model", "terms"),
    [("tokenmixer_large_xs", {"early"}), ("rankmixer_sparse_xs", {"routing"}), ("dlrm_mlp_xs", set())],
)
def test_terms_that_a_model_adds_are_logged_beside_the_loss(
    market_samples: Path, tmp_path: Path, model: str, terms: set[str]
) -> None:
    verbs.train(market_samples, tmp_path / "run", model, settings=[*SETTINGS, "epochs=1"])
    for line in steps(tmp_path / "run"):
        assert set(line.get("auxiliary", {})) == terms
        assert all(0 < value < 1 for value in line.get("auxiliary", {}).values())


def test_a_term_of_weight_zero_changes_nothing(market_samples: Path, tmp_path: Path) -> None:
    """The term is added to the loss: with a weight it moves training, without it does not."""
    losses = {}
    for weight in (0.0, 0.5):
        run = tmp_path / str(weight)
        setting = f"model.early_weight={weight}"
        verbs.train(market_samples, run, "tokenmixer_large_xs", settings=[*SETTINGS, "epochs=1", setting])
        losses[weight] = [line["loss"] for line in steps(run)]
        early = [line["auxiliary"]["early"] for line in steps(run)]
        assert (max(early) > 0) == (weight > 0)
    assert losses[0.0][0] == losses[0.5][0]
    assert losses[0.0][1:] != losses[0.5][1:]


@pytest.mark.parametrize("model", list_models("*_xs"))
def test_golden_losses(market_samples: Path, tmp_path: Path, model: str) -> None:
    """The first losses at a fixed seed; a change that moves them must say why."""
    golden = json.loads((Path(__file__).parent / "golden_losses.json").read_text())
    verbs.train(market_samples, tmp_path / "run", model, seed=0, settings=[*SETTINGS, "epochs=1"])
    found = [line["loss"] for line in steps(tmp_path / "run")][:12]
    assert found == pytest.approx(golden[model], rel=2e-4)


def test_a_moved_run_predicts_the_same(run: Path, market_samples: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "run"
    shutil.copytree(run, moved)
    one = verbs.predict(run, market_samples, tmp_path / "one.parquet")
    two = verbs.predict(moved, market_samples, tmp_path / "two.parquet")
    assert pq.read_table(one).equals(pq.read_table(two))


def test_predictions_stand_beside_what_the_store_says(
    run: Path, market_samples: Path, tmp_path: Path
) -> None:
    out = verbs.predict(run, market_samples, tmp_path / "p.parquet", split="valid")
    flat = pq.read_table(out).to_pylist()
    rows = pq.read_table(market_samples / "valid").to_pylist()
    expected = [
        (row["request_id"], row["user_id"], item, shown, click)
        for row in rows
        for item, shown, click in zip(row["item_id"], row["exposed"], row["label_click"], strict=True)
    ]
    names = ("request_id", "user_id", "item_id", "exposed", "label_click")
    assert [tuple(r[n] for n in names) for r in flat] == expected
    train = pq.read_table(market_samples / "train").to_pylist()
    items, users = {i for row in train for i in row["item_id"]}, {row["user_id"] for row in train}
    assert all(r["cold_item"] == (r["item_id"] not in items) for r in flat)
    assert all(r["cold_user"] == (r["user_id"] not in users) for r in flat)
    assert all(0 < r["score"] < 1 for r in flat)


def test_evaluation_fills_the_run_and_comparison_reads_it(
    run: Path, market_samples: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    verbs.train(market_samples, other, "dlrm_mlp_xs", 0, [*SETTINGS, "epochs=1"])
    for folder in (run, other):
        found = verbs.evaluate(folder, market_samples, resamples=50)
        assert set(found.metrics) - {"unexposed"} == {"exposed", "entire", "all_channels"}
        anywhere = found.sizes["all_channels"]["all"]
        assert anywhere.clicks > found.sizes["entire"]["all"].clicks
        assert anywhere.purchases > found.sizes["entire"]["all"].purchases
        assert (folder / "evaluation" / "test.json").is_file()
    compared = verbs.compare([run, other], resamples=50)
    assert [model.name for model in compared.models] == ["unimixer_lite_xs", "dlrm_mlp_xs"]
    assert compared.models[1].differences["gauc"].low is not None


def test_a_run_does_not_go_on_as_another(run: Path, market_samples: Path, tmp_path: Path) -> None:
    with pytest.raises(CorankError, match="already exists"):
        verbs.train(market_samples, run, "unimixer_lite_xs", 1, SETTINGS)
    with pytest.raises(CorankError, match="cannot resume with another model"):
        verbs.train(market_samples, run, "dcnv2_xs", 1, SETTINGS, resume=True)
    with pytest.raises(CorankError, match="cannot resume with another seed"):
        verbs.train(market_samples, run, "unimixer_lite_xs", 2, SETTINGS, resume=True)
    with pytest.raises(CorankError, match="cannot resume with other settings"):
        verbs.train(market_samples, run, "unimixer_lite_xs", 1, ["epochs=9"], resume=True)
    spec = tmp_path / "spec.yaml"
    spec.write_text("fields:\n  - {column: device, kind: id, source: request, group: context}\n")
    with pytest.raises(CorankError, match="cannot resume with other features"):
        verbs.train(market_samples, run, "unimixer_lite_xs", 1, SETTINGS, features=spec, resume=True)


def test_damaged_runs_are_refused(run: Path, market_samples: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CorankError, match=r"model\.safetensors: missing or damaged"):
        verbs.predict(copy, market_samples, tmp_path / "p.parquet")
    assert not (tmp_path / "p.parquet").exists()
    with pytest.raises(CorankError, match="not a run; expected a folder made by `corank train`"):
        verbs.evaluate(market_samples)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("epoch=3", "unknown key 'epoch'; did you mean 'epochs'"),
        ("optimizer.lrr=1", "unknown key 'lrr' in 'optimizer'; did you mean 'lr'"),
        ("optimizer.lr=-1", "'optimizer.lr' = -1: input should be greater than 0"),
        ("optimizr.lr=1", "names no group 'optimizr'"),
        ("model.tau=1", "unknown key 'tau'"),
        ("epochs", "is not of the form key.subkey=value"),
    ],
)
def test_unknown_settings_are_named_and_nothing_is_written(
    market_samples: Path, tmp_path: Path, setting: str, sentence: str
) -> None:
    with pytest.raises(CorankError, match=sentence):
        verbs.train(market_samples, tmp_path / "run", "unimixer_lite_xs", settings=[setting])
    assert not (tmp_path / "run").exists()
