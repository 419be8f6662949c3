"""Attention layers against their papers' equations, token by token."""

from __future__ import annotations

import pytest
import torch
from tests.layers.same import (
    Weights,
    assert_same,
    attention,
    each_sample,
    layer_norm,
    linear,
    modulated,
    token_linear,
)
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers import (
    CompositeAttention,
    FieldAttention,
    HeteroAttention,
    InteractingLayer,
    SelfAttention,
    TransformerBlock,
)

T, D, H = 3, 8, 2


def test_self_attention_is_vaswanis() -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        def row(tokens: list[Tensor]) -> list[Tensor]:
            q, k, v = ([linear(w, name, t) for t in tokens] for name in "qkv")
            return [linear(w, "out", o) for o in attention(q, k, v, H)]

        return each_sample(row, x)

    assert_same(SelfAttention(T, D, H), reference, 4, T, D)


def test_hetero_attention_has_weights_of_its_own_for_every_token() -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        def row(tokens: list[Tensor]) -> list[Tensor]:
            q, k, v = ([token_linear(w, name, t, x) for t, x in enumerate(tokens)] for name in "qkv")
            return [token_linear(w, "out", t, o) for t, o in enumerate(attention(q, k, v, H))]

        return each_sample(row, x)

    assert_same(HeteroAttention(T, D, H), reference, 4, T, D)


def test_composite_projections_see_all_features_at_low_rank() -> None:
    """HiFormer: K = vec(X) L_k R_k, cut into tokens; Q and V alike."""

    def reference(w: Weights, x: Tensor) -> Tensor:
        def row(tokens: list[Tensor]) -> list[Tensor]:
            whole = torch.cat(tokens)
            made = []
            for name in "qkv":
                flat = linear(w, f"{name}.right", w[f"{name}.left.weight"] @ whole)
                made.append([flat[t * D : (t + 1) * D] for t in range(T)])
            q, k, v = made
            return [token_linear(w, "out", t, o) for t, o in enumerate(attention(q, k, v, H))]

        return each_sample(row, x)

    assert_same(CompositeAttention(T, D, H, rank=5), reference, 4, T, D)


def test_field_attention_composes_weights_and_weighs_pairs() -> None:
    """FAT: W_f = sum_l c_f^l B_l, and a factor of the score of every pair of fields."""

    def reference(w: Weights, x: Tensor) -> Tensor:
        def project(name: str, f: int, e: Tensor) -> Tensor:
            share, basis = w[f"{name}.share_TV"], w[f"{name}.basis_VDo"]
            matrix = sum((share[f, m] * basis[m] for m in range(len(basis))), torch.zeros(D, D))
            return e @ matrix + w[f"{name}.bias"][f, 0]

        def row(fields: list[Tensor]) -> list[Tensor]:
            q, k, v = ([project(name, f, e) for f, e in enumerate(fields)] for name in "qkv")
            mixed = modulated(q, k, v, H, w["pair.weight_TT"])
            return [project("out", f, o) for f, o in enumerate(mixed)]

        return each_sample(row, x)

    assert_same(FieldAttention(T, D, H, basis=2), reference, 4, T, D)


def test_field_attention_begins_with_equal_pairs() -> None:
    layer = FieldAttention(T, D, H, basis=2)
    assert torch.equal(layer.pair.weight_TT, torch.ones(T, T))


def test_interacting_layer_is_autoints() -> None:
    """Scores are not scaled, the residual is projected, ReLU comes last."""

    def reference(w: Weights, x: Tensor) -> Tensor:
        def row(fields: list[Tensor]) -> list[Tensor]:
            q, k, v = ([linear(w, name, e) for e in fields] for name in "qkv")
            mixed = attention(q, k, v, H, scaled=False)
            return [(m + linear(w, "residual", e)).clamp(min=0) for m, e in zip(mixed, fields, strict=True)]

        return each_sample(row, x)

    assert_same(InteractingLayer(T, D, H), reference, 4, T, D)


def test_pre_norm_block_normalises_before_each_part() -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        def row(tokens: list[Tensor]) -> list[Tensor]:
            out = []
            for x in tokens:
                h = x + linear(w, "mix", layer_norm(x, w["norm_mix.weight"], w["norm_mix.bias"]))
                n = layer_norm(h, w["norm_ffn.weight"], w["norm_ffn.bias"])
                out.append(h + linear(w, "ffn", n))
            return out

        return each_sample(row, x)

    assert_same(TransformerBlock(nn.Linear(D, D), nn.Linear(D, D), D), reference, 4, T, D)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SelfAttention(T, D, 3),
        lambda: HeteroAttention(T, D, 3),
        lambda: CompositeAttention(T, D, 3, rank=2),
        lambda: FieldAttention(T, D, 3, basis=2),
        lambda: InteractingLayer(T, D, 3),
    ],
)
def test_heads_that_do_not_divide_are_refused(make: type[nn.Module]) -> None:
    with pytest.raises(CorankError, match="attention: 3 heads do not divide the token width 8"):
        make()
