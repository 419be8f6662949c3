"""The learned global mixing matrices, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from safetensors import SafetensorError
from safetensors.numpy import load_file

from corank.errors import CorankError
from corank.evaluation.arrays import Floats
from corank.report.canvas import picture
from corank.report.runs import Model, mapping
from corank.report.sections import Picture, Section

LARGE = 32
"""From this size on, a matrix is shown by tokens too."""


def mixing_section(models: Sequence[Model]) -> Section | None:
    """Pictures of the first run of each model that has learned matrices; nothing if none has."""
    pictures = [
        _picture(model, name, matrix)
        for model in models
        for name, matrix in read_mixing(model.runs[0].folder).items()
    ]
    return Section("mixing", "Learned global mixing", pictures=tuple(pictures)) if pictures else None


def read_mixing(run: Path) -> dict[str, Floats]:
    """The matrices of a run by block; none for models that learn none.

    Raises:
        CorankError: the file cannot be read, or holds something other than finite square matrices.
    """
    path = run / "mixing.safetensors"
    if not path.is_file():
        return {}
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise CorankError(f"{path}: not readable as safetensors ({error.__class__.__name__})") from None
    for name, matrix in tensors.items():
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
            raise CorankError(f"{path}: '{name}' is not a square matrix of finite numbers")
    return {
        name: tensors[name].astype(np.float64) for name in sorted(tensors, key=lambda key: (len(key), key))
    }


def by_tokens(matrix: Floats, tokens: int) -> Floats:
    """[tokens, tokens] how much of a token comes from each: sums over its columns, means over its rows."""
    size = len(matrix) // tokens
    return np.asarray(matrix.reshape(tokens, size, tokens, size).sum(axis=3).mean(axis=1), dtype=np.float64)


def _picture(model: Model, name: str, matrix: Floats) -> Picture:
    tokens = _tokens(model, len(matrix))
    apart = tokens if tokens and len(matrix) >= LARGE else 0
    kept = float(np.trace(matrix) / len(matrix))
    return picture(
        f"{model.label}, {name.replace('_', ' ')}",
        f"Heat map of a {len(matrix)} by {len(matrix)} mixing matrix; the mean of its diagonal is {kept:.3f}"
        + (f"; beside it the same by {tokens} tokens" if apart else ""),
        "A row shows where that part takes its content from; a bright diagonal means that it keeps its own, "
        f"and an even picture ({1 / len(matrix):.3f} everywhere) that all is averaged.",
        lambda figure: _draw(figure, matrix, apart),
        size=(9.2, 4.0) if apart else (4.8, 4.0),
    )


def _tokens(model: Model, size: int) -> int:
    """How many tokens the matrix mixes, if the configuration says so and it fits."""
    tokens = mapping(mapping(model.runs[0].config.get("model")).get("tokenizer")).get("tokens")
    return tokens if isinstance(tokens, int) and 1 < tokens < size and size % tokens == 0 else 0


def _draw(figure: Figure, matrix: Floats, tokens: int) -> None:
    if not tokens:
        _heat(figure, figure.subplots(), matrix, "to part", "from part")
        return
    left, right = figure.subplots(1, 2)
    _heat(figure, left, matrix, "to part", "from part")
    _heat(figure, right, by_tokens(matrix, tokens), "to token", "from token")


def _heat(figure: Figure, axes: Axes, matrix: Floats, rows: str, columns: str) -> None:
    shown = axes.imshow(matrix, cmap="viridis", vmin=min(0.0, float(matrix.min())), interpolation="nearest")
    axes.grid(visible=False)
    axes.set(xlabel=columns, ylabel=rows)
    figure.colorbar(shown, ax=axes, shrink=0.85).outline.set_visible(False)
