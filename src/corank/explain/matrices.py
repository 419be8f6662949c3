"""The figures of mixing layers: with the kept weights, and over training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from corank.explain.album import Album, Picture
from corank.explain.layers import MixingLayer
from corank.explain.result import Layer, MatrixStatistics, Moment, Shares, Token
from corank.explain.states import Seen
from corank.explain.statistics import effective_rank, kept, sources, sparsity
from corank.explain.tokens import by_token, holds, merged

UNITS = {"fixed": "head of a token", "attention": "token", "products": "token"}


def described_layer(name: str, layer: MixingLayer, tokens: Sequence[Token], seen: Seen, place: int) -> Layer:
    """The figures of one layer.

    Args:
        name: what it is called.
        layer: which.
        tokens: of the first layer.
        seen: what a pass over requests found, by layer.
        place: of the layer in it.
    """
    constant, weights = layer.constant, seen.weights[place]
    local = None
    if constant is None:
        mixing, shares = weights.statistics(), weights.mean()
        size = 0 if shares is None else len(shares)
    else:
        mixing, size = statistics_of(constant.g_NN), len(constant.g_NN)
        shares = by_token(constant.g_NN, constant.local_NCC, constant.shape, constant.out_tokens)
        local = None if constant.local_NCC is None else statistics_of(constant.local_NCC.mT)
    blocks = f"block of {constant.shape.block} channels" if layer.kind == "learned" and constant else ""
    return Layer(
        name=name,
        path=layer.path,
        kind=layer.kind,
        unit=blocks or UNITS[layer.kind],
        size=size,
        tau=layer.tau,
        mixing=mixing,
        local=local,
        local_size=constant.shape.block if constant is not None and local is not None else None,
        before=seen.before[place].statistics(),
        after=seen.after[place].statistics(),
        by_token=None if shares is None else _by_token(shares, layer, tokens),
        by_group=None if shares is None else _by_group(shares, layer, tokens),
        order=tuple(constant.g_NN.argmax(1).tolist()) if constant and layer.kind == "fixed" else None,
    )


def statistics_of(w: Tensor) -> MatrixStatistics:
    """Of a matrix [N, N], or the means of several [m, N, N]."""
    measures = {"sparsity": sparsity, "sources": sources, "rank": effective_rank, "kept": kept}
    return MatrixStatistics(**{name: float(measure(w).mean()) for name, measure in measures.items()})


def moments(album: Album | None, names: Sequence[str]) -> Iterator[Moment]:
    """The figures of each layer over training, where its matrices were kept whole.

    Args:
        album: what was kept.
        names: of the layers that learn their matrix.
    """
    if album is None:
        return
    for i, (name, layer) in enumerate(zip(names, album.layout.layers, strict=False)):
        if layer.cell > 1:
            continue
        for step, pictures in zip(album.steps, album.pictures, strict=True):
            yield _moment(name, step, pictures[i])


def _moment(name: str, step: int, picture: Picture) -> Moment:
    inside = None if picture.inside is None else statistics_of(torch.from_numpy(picture.inside))
    between = statistics_of(torch.from_numpy(picture.between))
    return Moment(layer=name, step=step, tau=picture.tau, mixing=between, local=inside)


def _by_token(shares: Tensor, layer: MixingLayer, tokens: Sequence[Token]) -> Shares:
    rows, columns = shares.shape
    of = (
        [token.name for token in tokens]
        if columns == len(tokens)
        else [f"made {i + 1}" for i in range(columns)]
    )
    to = [f"mixed {i + 1}" for i in range(rows)] if layer.remade else of
    return _shares(shares, to, of, [1 / columns] * columns)


def _by_group(shares: Tensor, layer: MixingLayer, tokens: Sequence[Token]) -> Shares | None:
    """None where the columns are not the tokens of fields."""
    if shares.shape[1] != len(tokens):
        return None
    of = [holds(token, tokens) for token in tokens]
    values, to, names = merged(shares, ["a mixed token"] * len(shares) if layer.remade else of, of)
    return _shares(values, to, names, [of.count(name) / len(of) for name in names])


def _shares(values: Tensor, rows: Sequence[str], columns: Sequence[str], even: Sequence[float]) -> Shares:
    return Shares(
        rows=tuple(rows), columns=tuple(columns), values=tuple(map(tuple, values.tolist())), even=tuple(even)
    )
