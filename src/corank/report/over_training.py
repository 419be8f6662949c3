"""The learned matrices of a run over training, as pictures by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure

from corank.explain.album import Album, Matrix
from corank.explain.matrices import moments
from corank.report.canvas import picture
from corank.report.heat import Ticks, colour_bar, draw_shares, shares_scale
from corank.report.mixing_curves import mixing_curves
from corank.report.sections import Picture
from corank.training.snapshots import MixedLayer, averaged

PANELS = 7
"""So many moments are drawn; of more, evenly chosen ones with the first and the last."""
_ACROSS = 4


@dataclass(frozen=True)
class Frame:
    """One panel: when, and what."""

    title: str
    matrix: Matrix


Frames = Sequence[Frame]


def album_pictures(label: str, album: Album, kept: Frames = ()) -> list[Picture]:
    """The pictures of each layer, between blocks and inside them, and the curves of all.

    Args:
        label: of the model.
        album: what was kept of its training.
        kept: the matrices between blocks of the weights that were kept, by layer, in full.
    """
    chosen = sorted({round(i) for i in np.linspace(0, len(album.steps) - 1, PANELS)})
    groups = [" + ".join(token.groups) for token in album.layout.tokens]
    found: list[Picture] = []
    for i, layer in enumerate(album.layout.layers):
        name = f"{label}, layer {i + 1}"
        shown = [(album.steps[at], album.pictures[at][i]) for at in chosen]
        titles = [f"step {step:,}, tau {one.tau:.2f}" for step, one in shown]
        between = [Frame(title, one.between) for title, (_, one) in zip(titles, shown, strict=True)]
        if i < len(kept) and len(kept[i].matrix) == layer.blocks:
            between.append(
                Frame(kept[i].title, averaged(torch.from_numpy(kept[i].matrix), layer.cell).numpy())
            )
        found.append(_between(name, between, layer, groups))
        inside = [
            Frame(title, mosaic(one.inside, layer))
            for title, (_, one) in zip(titles, shown, strict=True)
            if one.inside is not None
        ]
        if inside:
            found.append(_inside(name, inside, layer, groups))
    names = [f"layer {i + 1}" for i in range(len(album.layout.layers))]
    figures = list(moments(album, names))
    return [*([mixing_curves(label, figures)] if figures else []), *found]


def mosaic(inside: Matrix, layer: MixedLayer) -> Matrix:
    """The matrices inside blocks [m, B, B] side by side: a row of squares a token, if blocks fit tokens."""
    m, B, _ = inside.shape
    across = layer.width // layer.block if m == layer.blocks and layer.width % layer.block == 0 else m
    down = -(-m // across)
    framed = np.full((down * across, B + 1, B + 1), np.nan)
    framed[:m, :B, :B] = inside
    return framed.reshape(down, across, B + 1, B + 1).swapaxes(1, 2).reshape(down * (B + 1), across * (B + 1))


def _between(name: str, frames: Sequence[Frame], layer: MixedLayer, groups: Sequence[str]) -> Picture:
    size = len(frames[-1].matrix)
    unit = f"cells of {layer.cell} blocks" if layer.cell > 1 else "blocks"
    kept = float(np.trace(np.abs(frames[-1].matrix)) / size)
    ticks = Ticks(groups, size / len(groups)) if len(groups) == layer.tokens else None
    return picture(
        f"{name}, between blocks",
        f"Heat maps of a mixing matrix of {size} by {size} {unit} at {len(frames)} moments of training, from "
        f"{frames[0].title} to {frames[-1].title}; the mean of the last diagonal is {kept:.3f}",
        "A row shows where a block gets its content; lines part rows and columns by the feature groups that "
        "their tokens hold. One even colour: all is averaged. Single bright dots: each block takes from few; "
        "on the diagonal: it keeps its own.",
        lambda figure: _draw(figure, frames, size, ticks),
        size=_size(len(frames), 1.0),
    )


def _inside(name: str, frames: Sequence[Frame], layer: MixedLayer, groups: Sequence[str]) -> Picture:
    rows, columns = frames[-1].matrix.shape
    fits = rows == layer.tokens * (layer.block + 1) and len(groups) == layer.tokens
    ticks = Ticks(groups, layer.block + 1) if fits else None
    return picture(
        f"{name}, inside blocks",
        f"Heat maps of the matrices inside blocks of {layer.block} channels at {len(frames)} moments",
        f"Each small square is the matrix inside one block of {layer.block} channels"
        + (", a line of them a token" if fits else "")
        + ". A bright diagonal: channels stay what they are. An even square: they are averaged.",
        lambda figure: _draw(figure, frames, layer.block, ticks),
        size=_size(len(frames), rows / columns),
    )


def _size(panels: int, ratio: float) -> tuple[float, float]:
    down = -(-panels // _ACROSS)
    return 9.2, down * (0.35 + 1.75 * min(max(ratio, 0.25), 1.2)) + 0.2


def _draw(figure: Figure, frames: Sequence[Frame], size: int, ticks: Ticks | None) -> None:
    down = -(-len(frames) // _ACROSS)
    panels = list(np.atleast_1d(figure.subplots(down, _ACROSS, squeeze=False).ravel()))
    scale = shares_scale(size)
    for place, axes in enumerate(panels):
        if place >= len(frames):
            axes.axis("off")
            continue
        draw_shares(axes, frames[place].matrix, scale, ticks, labelled=place % _ACROSS == 0)
        axes.set_title(frames[place].title, fontsize=8.5, fontweight="normal")
    colour_bar(figure, panels, scale, size)
