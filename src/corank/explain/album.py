"""Reading the pictures that training kept of the mixing matrices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from corank.errors import CorankError
from corank.training.snapshots import Layout

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Picture:
    """A layer's matrices at one moment.

    Attributes:
        tau: temperature.
        between: G [n, n]; a row is what a block (or a cell of blocks) of the result is made of.
        inside: W_B [N or 1, B, B], turned so that a row is what a channel of the result is made of; None if
            it is not learned, or was too large to keep.
    """

    tau: float
    between: Matrix
    inside: Matrix | None


@dataclass(frozen=True)
class Album:
    """All that was kept of a run.

    Attributes:
        layout: what rows and columns stand for.
        steps: after so many steps, ascending; the last is where training ended.
        pictures: by step and layer.
    """

    layout: Layout
    steps: list[int]
    pictures: list[list[Picture]]


def read_album(folder: Path) -> Album | None:
    """The pictures in a run's folder `mixing`; None if there are none.

    Raises:
        CorankError: a file is damaged, or does not fit the others.
    """
    files = sorted(path for path in folder.glob("step-*.safetensors") if re.fullmatch(r"step-\d+", path.stem))
    if not files:
        return None
    layout = Layout.read(folder / "layout.json")
    for layer in layout.layers:
        if min(layer.tokens, layer.width, layer.block, layer.cell) < 1 or layer.blocks % layer.cell:
            raise CorankError(f"{folder / 'layout.json'}: sizes that do not fit one another, or damaged")
    pictures = [_pictures(path, layout) for path in files]
    return Album(layout, [int(path.stem.removeprefix("step-")) for path in files], pictures)


def _pictures(path: Path, layout: Layout) -> list[Picture]:
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise CorankError(f"{path}: not readable as safetensors ({error.__class__.__name__})") from None
    found = []
    for i, layer in enumerate(layout.layers):
        rows = layer.blocks // layer.cell
        tau = _array(path, tensors, f"layer_{i}.tau", ())
        between = _array(path, tensors, f"layer_{i}.global", (rows, rows))
        name = f"layer_{i}.local"
        inside = None
        if name in tensors:
            matrices = 1 if len(tensors[name].shape) and len(tensors[name]) == 1 else layer.blocks
            shape = (matrices, layer.block, layer.block)
            inside = _array(path, tensors, name, shape).transpose(0, 2, 1)
        found.append(Picture(float(tau), between, inside))
    return found


def _array(
    path: Path, tensors: dict[str, npt.NDArray[np.float32]], name: str, shape: tuple[int, ...]
) -> Matrix:
    array = tensors.get(name)
    if array is None or array.shape != shape or not np.isfinite(array).all():
        expected = " by ".join(str(n) for n in shape) or "single"
        raise CorankError(
            f"{path}: '{name}' is not the {expected} finite numbers that mixing/layout.json says"
        )
    return array.astype(np.float64)
