"""Parameters and operations of a model by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

from torch import nn

from corank.layers.flops import Counted, Flops, flops_of

Part = Literal["embedding", "tokenizer", "mixing", "feed_forward", "head"]
PARTS: tuple[Part, ...] = get_args(Part)


def parameters_by_part(model: nn.Module) -> dict[str, int]:
    """Number of parameters of each part, and in total."""
    counts = dict.fromkeys([*PARTS, "total"], 0)
    for part, piece in pieces(model):
        counts[part] += sum(p.numel() for p in piece.parameters())
    return counts | {"total": sum(counts.values())}


def flops_by_part(model: nn.Module) -> dict[str, Flops]:
    """Operations of each part, and in total."""
    counts = dict.fromkeys([*PARTS, "total"], Flops())
    for part, piece in pieces(model):
        counts[part] += flops_of(piece)
    return counts | {"total": sum(counts.values(), Flops())}


def pieces(module: nn.Module, part: Part | None = None) -> Iterator[tuple[Part, nn.Module]]:
    """The modules that a model is made of, each with its part.

    A module may name the parts of its children in a class attribute `PARTS`; a child that is not named there
    belongs to the part of what it is in. A layer with a formula or with parameters of its own is one piece.
    """
    whole = isinstance(module, Counted) or next(module.parameters(recurse=False), None) is not None
    if whole:
        assert part is not None, f"{type(module).__name__} belongs to no part"
        yield part, module
        return
    named: dict[str, Part] = getattr(module, "PARTS", {})
    for name, child in module.named_children():
        yield from pieces(child, named.get(name, part))
