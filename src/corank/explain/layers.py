"""The mixing layers of a model: where they are, and the matrices that do not depend on the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from corank.layers.attention import Attend, SelfAttention
from corank.layers.field_attention import FieldAttention
from corank.layers.hetero_attention import CompositeAttention, HeteroAttention
from corank.layers.interacting import InteractingLayer
from corank.layers.mix_revert import MixRevertBlock
from corank.layers.mixing import Mixing
from corank.layers.patterns import MixingShape
from corank.layers.token_mixer import TokenMixer
from corank.models.base import RankingModel

Kind = Literal["learned", "fixed", "attention", "products"]
"""A learned constant; a fixed permutation; weights of the input's own; products of the input, as in FM."""

_ATTENTIONS = (SelfAttention, HeteroAttention, CompositeAttention, FieldAttention, InteractingLayer)


@dataclass(frozen=True)
class Constant:
    """A mixing matrix that is the same for every input.

    Attributes:
        g_NN: between blocks; a row is what a block of the result is made of.
        local_NCC: inside each; None if nothing is learned there.
        shape: how the blocks lie in the tokens.
        out_tokens: into how many tokens the result is cut.
    """

    g_NN: Tensor
    local_NCC: Tensor | None
    shape: MixingShape
    out_tokens: int


@dataclass(frozen=True)
class MixingLayer:
    """A layer in which tokens meet.

    Attributes:
        path: its name in the model.
        kind: where its matrix comes from.
        module: what hidden states go into and come out of.
        weighs: what gives the matrices of an input, for the kinds that have them.
        constant: the matrix, for the others.
        tau: the temperature of a learned matrix.
        remade: its result is cut into tokens of another kind, which hold something of all.
    """

    path: str
    kind: Kind
    module: nn.Module
    weighs: nn.Module | None = None
    constant: Constant | None = None
    tau: float | None = None
    remade: bool = False


def mixing_layers(model: RankingModel) -> list[MixingLayer]:
    """The mixing layers from first to last; none for models whose fields meet in other ways.

    Of TokenMixer-Large's blocks, what mixes is a layer, what reverts it is not.
    """
    reverted = [module for module in model.modules() if isinstance(module, MixRevertBlock)]
    mixes, reverts = {block.mix for block in reverted}, {block.revert for block in reverted}
    found: list[MixingLayer] = []
    for path, module in model.named_modules():
        if isinstance(module, Mixing):
            found.append(_mixing(path, module))
        elif isinstance(module, TokenMixer) and module not in reverts:
            shape = _shape(model, module.heads)
            order_N = shape.token_mixer_order(module.heads)
            constant = Constant(torch.eye(len(order_N))[order_N], None, shape, module.heads)
            found.append(MixingLayer(path, "fixed", module, constant=constant, remade=module in mixes))
        elif isinstance(module, _ATTENTIONS):
            assert isinstance(module.attend, Attend)
            found.append(MixingLayer(path, "attention", module, weighs=module.attend))
    return found


def _mixing(path: str, mixing: Mixing) -> MixingLayer:
    g_NN = mixing.matrix()
    if g_NN is None:
        return MixingLayer(path, "products", mixing, weighs=mixing.G)
    constant = Constant(g_NN, mixing.local_matrices(), mixing.shape, mixing.out_tokens)
    return MixingLayer(path, "learned", mixing, constant=constant, tau=float(mixing.tau))


def _shape(model: RankingModel, heads: int) -> MixingShape:
    """Heads as blocks: the finest cut at which a TokenMixer is a permutation."""
    tokens = len(model.token_contents())
    width = getattr(model.config, "width", None)
    assert isinstance(width, int)
    return MixingShape(tokens, width, width // heads)
