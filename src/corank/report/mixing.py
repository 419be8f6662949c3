"""The learned mixing matrices, as pictures: over training, and those of the kept weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from safetensors import SafetensorError
from safetensors.numpy import load_file

from corank.errors import CorankError
from corank.evaluation.arrays import Floats
from corank.evaluation.runs import RunFacts, read_facts
from corank.explain.album import read_album
from corank.report.canvas import picture
from corank.report.over_training import Frame, album_pictures
from corank.report.runs import mapping, number
from corank.report.sections import Picture, Section

LARGE = 32
"""From this size on, a matrix is shown by token too."""


def mixing_section(runs: Sequence[tuple[str, Path]]) -> Section | None:
    """Pictures of each run, with the label of its model, that has learned matrices; nothing if none has."""
    pictures: list[Picture] = []
    for label, run in runs:
        kept, album = read_mixing(run), read_album(run / "mixing")
        facts = read_facts(run)
        if album is not None:
            step, last = number(facts.run.get("best_step")), album.steps[-1]
            when = "kept weights" if step is None else f"kept: step {step:,.0f}"
            pictures += album_pictures(label, album, [Frame(when, w) for w in kept.values() if step != last])
        for place, matrix in enumerate(kept.values(), start=1):
            title = f"{label}, layer {place}"
            if album is not None:
                continue
            pictures.append(_picture(title, "part", matrix))
            tokens = _tokens(facts, len(matrix))
            if tokens and len(matrix) >= LARGE:
                pictures.append(_picture(f"{title}, by token", "token", by_tokens(matrix, tokens)))
    return Section("mixing", "Learned mixing", pictures=tuple(pictures)) if pictures else None


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


def _picture(title: str, unit: str, matrix: Floats) -> Picture:
    size = len(matrix)
    kept = float(np.trace(matrix) / size)
    return picture(
        title,
        f"Heat map of a mixing matrix of {size} by {size} {unit}s; the mean of its diagonal is {kept:.3f}",
        f"A row shows where that {unit} gets its content: a bright diagonal means that it keeps its own, "
        f"and an even picture ({1 / size:.3f} everywhere) that all is averaged.",
        lambda figure: _draw(figure, matrix, unit),
        size=(5.0, 4.2),
    )


def _tokens(facts: RunFacts, size: int) -> int:
    """How many tokens the matrix mixes, if the configuration says so and it fits."""
    tokens = mapping(mapping(facts.config.get("model")).get("tokenizer")).get("tokens")
    return tokens if isinstance(tokens, int) and 1 < tokens < size and size % tokens == 0 else 0


def _draw(figure: Figure, matrix: Floats, unit: str) -> None:
    axes = figure.subplots()
    shown = axes.imshow(matrix, cmap="viridis", vmin=min(0.0, float(matrix.min())), interpolation="nearest")
    axes.grid(visible=False)
    axes.set(xlabel=f"from {unit}", ylabel=f"to {unit}")
    figure.colorbar(shown, ax=axes, shrink=0.85, label="share")
