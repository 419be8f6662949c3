"""The learned mixing matrices at a few moments of training, written down for a look at them later."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from corank.config import Config
from corank.files import whole_file, write_json
from corank.layers.mixing import Mixing
from corank.layers.patterns import Learned
from corank.layers.tokenizer import Contents
from corank.models.base import RankingModel
from corank.training.config import SnapshotConfig


class MixedToken(Config):
    """A token: how many of its numbers are of each feature group."""

    groups: dict[str, int]


class MixedLayer(Config):
    """How the blocks of a layer lie in its tokens.

    Attributes:
        tokens, width, block: T, D and B.
        cell: blocks that are one row of the picture; 1 unless the matrix was averaged down.
    """

    tokens: int
    width: int
    block: int
    cell: int = 1

    @property
    def blocks(self) -> int:
        """N."""
        return self.tokens * self.width // self.block


class Layout(Config):
    """What rows and columns of the pictures stand for, as in mixing/layout.json."""

    tokens: tuple[MixedToken, ...]
    layers: tuple[MixedLayer, ...]


class Album:
    """The snapshots of one run.

    Each is a file of its own, written whole: `layer_I.global` [n, n] and `layer_I.tau`, and `layer_I.local`
    [N or 1, B, B] where these are no more numbers than the largest picture has. For models without learned
    mixing matrices, or no moments, nothing is ever written.

    Args:
        folder: where they go.
        model: whose matrices.
        config: how large they may be.
    """

    def __init__(self, folder: Path, model: RankingModel, config: SnapshotConfig) -> None:
        self.folder, self.model, self.largest = folder, model, config.largest
        learned = [mixing for mixing in model.mixings() if isinstance(mixing.G, Learned)]
        self.mixings = learned if config.moments else []
        self.layers = tuple(_layer(mixing, config.largest) for mixing in self.mixings)

    def cut(self, step: int) -> None:
        """Drop what was taken after a step, as when a killed run resumes from it."""
        for path in self.folder.glob("step-*.safetensors"):
            if path > self._path(step):
                path.unlink()

    def take(self, step: int) -> None:
        """Write the matrices as they are now, after so many steps, unless that has been done."""
        if not self.mixings or self._path(step).exists():
            return
        tokens = tuple(MixedToken(groups=_groups(contents)) for contents in self.model.token_contents())
        layout = Layout(tokens=tokens, layers=self.layers)
        write_json(self.folder / "layout.json", layout.model_dump(mode="json"))
        tensors: dict[str, Tensor] = {}
        for i, (mixing, layer) in enumerate(zip(self.mixings, self.layers, strict=True)):
            g_NN, w_NCC = mixing.matrix(), mixing.local_matrices()
            assert g_NN is not None
            tensors[f"layer_{i}.global"] = averaged(g_NN, layer.cell)
            tensors[f"layer_{i}.tau"] = mixing.tau
            if w_NCC is not None and w_NCC.numel() <= self.largest**2:
                tensors[f"layer_{i}.local"] = w_NCC
        with whole_file(self._path(step)) as aside:
            save_file({name: x.detach().cpu().contiguous() for name, x in tensors.items()}, aside)

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:09d}.safetensors"


def averaged(w_NN: Tensor, cell: int) -> Tensor:
    """[N, N] to [n, n]: cells of N / n rows and columns, sums over columns, means over rows."""
    n = len(w_NN) // cell
    return w_NN.reshape(n, cell, n, cell).sum(3).mean(1)


def _layer(mixing: Mixing, largest: int) -> MixedLayer:
    shape = mixing.shape
    whole = shape.width // shape.block if shape.width % shape.block == 0 else 1
    cell = _cell(shape.blocks, whole, largest)
    return MixedLayer(tokens=shape.tokens, width=shape.width, block=shape.block, cell=cell)


def _cell(n: int, of_token: int, largest: int) -> int:
    """How many of n blocks make a row of a picture: the fewest, within a token if that is enough.

    >>> _cell(4096, 128, 512), _cell(112, 16, 50), _cell(6, 1, 4), _cell(6, 6, 6)
    (8, 4, 2, 1)
    """
    fits = [size for size in range(1, n + 1) if n % size == 0 and n // size <= largest]
    return next((size for size in fits if of_token % size == 0), fits[0])


def _groups(contents: Contents) -> dict[str, int]:
    groups: Counter[str] = Counter()
    for slot, numbers in contents.items():
        groups[slot.group] += numbers
    return dict(groups)
