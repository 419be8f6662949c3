"""Pictures of mixing over training: when, how large, the same after a kill, none for models without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.inputs import make_schema
from tests.training.killing import KillAfter

from corank import verbs
from corank.errors import CorankError
from corank.explain.album import read_album
from corank.models import create_model
from corank.training.config import SnapshotConfig
from corank.training.run import Run
from corank.training.snapshots import Album, averaged

SETTINGS = ("epochs=2", "reader.batch_samples=512", "log_every=1", "optimizer.warmup_steps=5")
SCHEMA = make_schema()


def files(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((run / "mixing").iterdir())}


@pytest.fixture(scope="module")
def run(market_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    verbs.train(market_samples, out, "unimixer_lite_xs", settings=SETTINGS)
    return out


def test_a_run_keeps_its_mixing_from_start_to_end(run: Path) -> None:
    """Six moments, the temperature falling from 1; the matrices are those after Sinkhorn."""
    album = read_album(run / "mixing")
    assert album is not None
    assert len(album.steps) == 6
    assert album.steps[0] == 0
    taus = [pictures[0].tau for pictures in album.pictures]
    assert taus[0] == 1
    assert taus == sorted(taus, reverse=True)
    assert taus[-1] < 0.1
    for pictures in album.pictures:
        (one,) = pictures
        assert one.between.sum(1) == pytest.approx(np.ones(64), abs=1e-3)
        assert one.inside is not None
        assert one.inside.shape == (64, 4, 4)
        assert one.inside.sum(2) == pytest.approx(np.ones((64, 4)), abs=1e-3)
    (layer,) = album.layout.layers
    assert (layer.tokens, layer.width, layer.block, layer.cell, layer.blocks) == (8, 32, 4, 1, 64)
    assert {group for token in album.layout.tokens for group in token.groups} >= {"user", "item"}


def test_the_last_picture_is_that_of_the_last_weights(run: Path) -> None:
    """Of the checkpoint's, at the temperature of the last step."""
    (weights,) = run.glob("checkpoint/step-*/model.safetensors")
    tensors = load_file(weights)
    model = Run(run).model()
    model.load_state_dict(tensors)
    album = read_album(run / "mixing")
    assert album is not None
    last = album.pictures[-1][0]
    (expected,) = model.mixing()
    assert torch.from_numpy(last.between).float().equal(expected)
    assert last.tau == float(model.mixings()[0].tau)


@pytest.mark.parametrize("model", ["unimixer_xs", "unimixer_lite_factored_xs"])
def test_a_killed_run_keeps_the_same(market_samples: Path, tmp_path: Path, model: str) -> None:
    """Killed before, at and after moments and checkpoints."""
    settings = [*SETTINGS, "checkpoint_every=4", "snapshots.moments=8", "epochs=1"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    verbs.train(market_samples, whole, model, 0, settings)
    for left in (1, 6, 11):
        with pytest.raises(KeyboardInterrupt):
            verbs.train(market_samples, cut, model, 0, settings, resume=True, progress=KillAfter(left))
    verbs.train(market_samples, cut, model, 0, settings, resume=True)
    assert files(cut) == files(whole)
    assert len(files(whole)) == 8 + 1
    verbs.train(market_samples, cut, model, 0, settings, resume=True)  # finished already
    assert files(cut) == files(whole)


def test_what_was_taken_after_the_last_checkpoint_goes(tmp_path: Path) -> None:
    """A run that goes on elsewhere may end at another step: no picture of a future that was not remains."""
    model = create_model("unimixer_xs", SCHEMA)
    album = Album(tmp_path / "mixing", model, SnapshotConfig())
    for step in (0, 7, 12):
        album.take(step)
    album.cut(7)
    found = read_album(tmp_path / "mixing")
    assert found is not None
    assert found.steps == [0, 7]


@pytest.mark.parametrize(
    ("model", "setting"),
    [("dcnv2_xs", "log_every=1"), ("rankmixer_xs", "log_every=1"), ("unimixer_xs", "snapshots.moments=0")],
)
def test_other_runs_have_none(market_samples: Path, tmp_path: Path, model: str, setting: str) -> None:
    verbs.train(market_samples, tmp_path / "run", model, settings=[*SETTINGS, "epochs=1", setting])
    assert not (tmp_path / "run" / "mixing").exists()
    assert read_album(tmp_path / "run" / "mixing") is None


def test_snapshots_change_nothing_of_training(market_samples: Path, tmp_path: Path, run: Path) -> None:
    other = tmp_path / "none"
    verbs.train(market_samples, other, "unimixer_lite_xs", settings=[*SETTINGS, "snapshots.moments=0"])
    weights = [(folder / "model.safetensors").read_bytes() for folder in (run, other)]
    assert weights[0] == weights[1]


def test_large_matrices_are_averaged_down(tmp_path: Path) -> None:
    """Cells of blocks of one token; what is inside blocks is left out where it is more than the picture."""
    model = create_model("unimixer_s", SCHEMA, ["mixing.block=2"])  # 8 tokens of 32 blocks
    Album(tmp_path / "mixing", model, SnapshotConfig(largest=20)).take(0)
    found = read_album(tmp_path / "mixing")
    assert found is not None
    assert [layer.cell for layer in found.layout.layers] == [16, 16]
    for picture, whole in zip(found.pictures[0], model.mixing(), strict=True):
        assert picture.between.shape == (16, 16)
        for i, j in np.ndindex(16, 16):
            cell = whole[i * 16 : i * 16 + 16, j * 16 : j * 16 + 16]
            assert picture.between[i, j] == pytest.approx(float(cell.sum(1).mean()), rel=1e-4)
        assert picture.inside is None
    assert averaged(whole, 1).equal(whole)


def test_moments_are_even_or_early() -> None:
    assert SnapshotConfig(moments=3).steps(10) == [0, 5]
    assert SnapshotConfig(moments=1).steps(10) == []
    assert SnapshotConfig(moments=0).steps(10) == []
    assert SnapshotConfig(moments=6).steps(2) == [0, 1]
    assert SnapshotConfig(moments=4, spacing="geometric").steps(1000) == [0, 10, 100]


@pytest.mark.parametrize("damage", ["cut", "another shape", "no layout", "layout of other sizes"])
def test_damaged_pictures_are_refused(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "mixing"
    Album(folder, create_model("unimixer_xs", SCHEMA), SnapshotConfig()).take(0)
    picture, layout = folder / "step-000000000.safetensors", folder / "layout.json"
    if damage == "cut":
        picture.write_bytes(picture.read_bytes()[:1000])
        sentence = "not readable as safetensors"
    elif damage == "another shape":
        layout.write_text(layout.read_text().replace('"width": 32', '"width": 64'))
        sentence = "'layer_0.global' is not the 128 by 128 finite numbers"
    elif damage == "no layout":
        layout.unlink()
        sentence = "layout.json: no such file"
    else:
        layout.write_text(layout.read_text().replace('"cell": 1', '"cell": 5'))
        sentence = "sizes that do not fit one another"
    with pytest.raises(CorankError, match=sentence):
        read_album(folder)
