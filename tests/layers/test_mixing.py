"""One module, five families: each setting equals a plain reference of its own paper, forward and backward.

In float32 to 1e-6 of the largest number (references run in float64), TokenMixer bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from tests.counting import counted
from tests.layers.references import assert_same, gradients, mixed, scaled
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers import (
    Attend,
    Attention,
    BasisLocal,
    FactoredGlobal,
    Free,
    Gram,
    Identity,
    LearnedGlobal,
    LearnedLocal,
    LowRankGlobal,
    Mixing,
    Projection,
    TokenMixer,
    TokenPermutation,
    UniMixingConfig,
)
from corank.layers.patterns import GlobalPattern, LocalPattern

SHAPES = [(4, 8), (3, 5), (1, 6), (5, 1)]
"""T, D; among them one token and one channel."""


def attention(x: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(d)) v of one sample [T, D], token by token; weights [D, D], or one a token."""
    T, d = x.shape
    own = w_q.dim() == 3
    q = [x[i] @ (w_q[i] if own else w_q) for i in range(T)]
    k = [x[i] @ (w_k[i] if own else w_k) for i in range(T)]
    v = [x[i] @ (w_v[i] if own else w_v) for i in range(T)]
    rows = []
    for i in range(T):
        weights = [torch.exp((q[i] * k[j]).sum() / math.sqrt(d)) for j in range(T)]
        total = torch.stack(weights).sum()
        row = torch.zeros(d, dtype=x.dtype)
        for j in range(T):
            row = row + weights[j] / total * v[j]
        rows.append(row)
    return torch.stack(rows)


def token_mixing(x: Tensor, heads: int) -> Tensor:
    """Head h of every token, side by side (RankMixer, section 3.3), of one sample [T, D]."""
    T, D = x.shape
    d = D // heads
    return torch.stack([torch.cat([x[t, h * d : (h + 1) * d] for t in range(T)]) for h in range(heads)])


def fm(x: Tensor, y: Tensor) -> Tensor:
    """X X^T Y of one sample [T, D], dot product by dot product (Wukong, section 3.3)."""
    T = len(x)
    rows = []
    for i in range(T):
        row = torch.zeros(y.shape[1], dtype=x.dtype)
        for j in range(T):
            row = row + (x[i] * x[j]).sum() * y[j]
        rows.append(row)
    return torch.stack(rows)


def both(layer: Mixing, x: Tensor, plain: Callable[..., Tensor], names: tuple[str, ...]) -> None:
    """Result and gradients, of x and of all weights, in float32, against a reference that runs in float64."""
    weights = dict(layer.named_parameters())
    assert set(weights) == set(names)
    x = x.requires_grad_()
    upstream = torch.randn(layer(x).shape)
    found = gradients(layer(x), [x, *(weights[n] for n in names)], upstream)
    inputs = [t.detach().double().requires_grad_() for t in (x, *(weights[n] for n in names))]
    out = torch.stack([plain(one, *inputs[1:]) for one in inputs[0]])
    assert_same(found, gradients(out, inputs, upstream.double()))


@pytest.mark.parametrize(("tokens", "width"), SHAPES)
@pytest.mark.parametrize("samples", [1, 3])
def test_self_attention(tokens: int, width: int, samples: int) -> None:
    """Vaswani et al. 2017, equation 1, one head."""
    layer = Mixing(tokens, width, Attention(), Projection())
    x = torch.randn(samples, tokens, width)
    both(layer, x, attention, ("G.query", "G.key", "local.value"))
    weights = dict(layer.named_parameters())
    q, k, v = (x @ weights[n] for n in ("G.query", "G.key", "local.value"))
    theirs = nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(layer(x), theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("tokens", "width"), SHAPES)
@pytest.mark.parametrize("samples", [1, 3])
def test_heterogeneous_attention(tokens: int, width: int, samples: int) -> None:
    """Every token has its own query, key and value weights (HiFormer, section 3.2)."""
    layer = Mixing(tokens, width, Attention(token_specific=True), Projection(token_specific=True))
    both(layer, torch.randn(samples, tokens, width), attention, ("G.query", "G.key", "local.value"))
    assert sum(p.numel() for p in layer.parameters()) == 3 * tokens * width**2


@pytest.mark.parametrize(("tokens", "width", "heads", "block"), [
    (2, 6, 2, 3), (2, 6, 2, 1), (3, 8, 4, 2), (4, 8, 4, 1), (5, 3, 1, 3), (1, 4, 2, 2),
])  # fmt: skip
@pytest.mark.parametrize("samples", [1, 3])
def test_token_mixer_bit_for_bit(tokens: int, width: int, heads: int, block: int, samples: int) -> None:
    """RankMixer's mixing, with heads that are tokens or not, in blocks of a head or smaller."""
    layer = Mixing(tokens, width, TokenPermutation(heads=heads), Identity(), block)
    x = torch.randn(samples, tokens, width, requires_grad=True)
    upstream = torch.randn(samples, heads, tokens * width // heads)
    found = gradients(layer(x), [x], upstream)
    for other in (
        torch.stack([token_mixing(one, heads) for one in x]),
        TokenMixer(width, heads)(x),
    ):
        assert all(torch.equal(a, b) for a, b in zip(found, gradients(other, [x], upstream), strict=True))
    assert list(layer.parameters()) == []


@pytest.mark.parametrize(("tokens", "width"), SHAPES)
@pytest.mark.parametrize("columns", [1, 3])
def test_fm(tokens: int, width: int, columns: int) -> None:
    """Wukong's X X^T Y."""
    layer = Mixing(tokens, width, Gram(), Free(columns=columns))
    both(layer, torch.randn(3, tokens, width), fm, ("local.y_NC",))


def test_fm_holds_rendles_pairwise_sum() -> None:
    """With Y = I, G is there to see: its entries above the diagonal add up to the machine's pairwise term."""
    layer = Mixing(5, 4, Gram(), Free(columns=5))
    with torch.no_grad():
        dict(layer.named_parameters())["local.y_NC"].copy_(torch.eye(5))
    x = torch.randn(2, 5, 4)
    pairs = layer(x).triu(diagonal=1).sum((1, 2))
    expected = (x.sum(1).square() - x.square().sum(1)).sum(1) / 2
    torch.testing.assert_close(pairs, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("tokens", "width", "block"), [(4, 8, 4), (2, 6, 4), (1, 8, 2), (3, 4, 1), (2, 4, 8)]
)
@pytest.mark.parametrize("samples", [1, 3])
def test_unimixing(tokens: int, width: int, block: int, samples: int) -> None:
    """W_G [x_1 W_B^1 ; ... ; x_N W_B^N], symmetric and doubly stochastic; also with B = 1 and B = L.

    Sinkhorn stops at a row error: here at 1e-6, near float32's own. Logits lean little, so that
    the reference's 300 scalings are enough.
    """
    layer = UniMixingConfig(block=block, tolerance=1e-6, global_init="normal", lean=2).build(tokens, width)

    def plain(x: Tensor, w_g: Tensor, w_b: Tensor) -> Tensor:
        return mixed(x, scaled(w_g, 1.0, True, 300), scaled(w_b, 1.0, True, 300))

    both(layer, torch.randn(samples, tokens, width), plain, ("G.w_NN", "local.w_NCC"))


@pytest.mark.parametrize(("tokens", "width", "block"), [(4, 16, 2), (8, 64, 4), (2, 6, 3)])
def test_token_mixer_is_the_limit_of_unimixing(tokens: int, width: int, block: int) -> None:
    """Permutation logits and W_B = I: the distance to RankMixer's mixing falls to nothing with tau."""
    pattern = LearnedGlobal(init="permutation")
    layer = Mixing(tokens, width, pattern, Identity(), block)
    soft = UniMixingConfig(block=block, global_init="permutation").build(tokens, width)
    order = layer.shape.token_mixer_order(tokens)
    N = layer.shape.blocks
    with torch.no_grad():
        for module in (layer, soft):
            dict(module.named_parameters())["G.w_NN"].copy_(torch.eye(N)[order])
        dict(soft.named_parameters())["local.w_NCC"].copy_(torch.eye(block).expand(N, -1, -1))
    x = torch.randn(3, tokens, width)
    target = TokenMixer(width, tokens)(x)
    for module in (layer, soft):
        distances = []
        for tau in (1.0, 0.2, 0.1, 0.05):
            module.tau.fill_(tau)
            distances.append(float((module(x) - target).detach().abs().max()))
        assert distances == sorted(distances, reverse=True)
        assert distances[0] > 0.1 > 1e-6 > distances[-1]


def test_any_two_patterns_go_together() -> None:
    """G(X) local(X) with G written out."""
    x = torch.randn(2, 4, 6)
    globals_: list[GlobalPattern] = [Attention(), Gram(), TokenPermutation(heads=2), LearnedGlobal()]
    locals_: list[LocalPattern] = [Identity(), Projection(), Free(columns=3), LearnedLocal()]
    for g in globals_:
        for local in locals_:
            layer = Mixing(4, 6, g, local, block=3)
            blocks = x.reshape(2, 8, 3)
            h = layer.local(blocks, layer.tau)
            matrix = layer.G(blocks, layer.tau)
            full = matrix if isinstance(matrix, Tensor) else matrix.full()
            assert_same([layer(x).detach().flatten(1)], [(full @ h).detach().flatten(1)])


@pytest.mark.parametrize(
    "layer",
    [
        Mixing(8, 16, Attention(), Projection()),
        Mixing(8, 16, Attention(token_specific=True), Projection(token_specific=True)),
        Mixing(8, 16, TokenPermutation(), Identity(), block=2),
        Mixing(8, 16, Gram(), Free(columns=4)),
        UniMixingConfig().build(8, 16),
    ],
)
def test_bfloat16_is_near(layer: Mixing) -> None:
    """Inputs in bfloat16 (three digits): within 2 per cent of the largest number of the result."""
    x = torch.randn(6, 8, 16)
    with torch.no_grad():
        expected, found = layer(x), layer(x.bfloat16())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            cast = layer(x)
    assert found.dtype == torch.bfloat16
    for y in (found, cast):
        assert float((y.float() - expected).abs().max() / expected.abs().max()) < 0.02


@pytest.mark.parametrize(
    ("pattern", "block", "sentence"),
    [
        (Gram(), 5, "blocks of 5 do not divide 4 tokens x 8 channels"),
        (TokenPermutation(heads=3), 1, "3 heads of 8 channels are not made of whole blocks of 1"),
        (TokenPermutation(), 4, "4 heads of 8 channels are not made of whole blocks of 4"),
    ],
)
def test_what_cannot_be_is_refused(pattern: GlobalPattern, block: int, sentence: str) -> None:
    with pytest.raises(CorankError, match=sentence):
        Mixing(4, 8, pattern, Identity(), block)


def test_only_learned_patterns_have_a_matrix_and_fold() -> None:
    layer = Mixing(4, 8, Attention(), LearnedLocal(), block=4)
    x = torch.randn(2, 4, 8)
    before = layer(x)
    assert layer.matrix() is None
    layer.fold()
    assert set(dict(layer.named_parameters())) == {"G.query", "G.key"}
    torch.testing.assert_close(layer(x), before, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("token_specific", [False, True])
def test_attention_is_that_of_the_baselines_with_one_head(token_specific: bool) -> None:
    """`SelfAttention` and `HeteroAttention` have heads, an output projection and biases besides."""
    T, D = 4, 6
    mix = Mixing(T, D, Attention(token_specific=token_specific), Projection(token_specific=token_specific))
    weights = dict(mix.named_parameters())
    x_STD = torch.randn(3, T, D)
    of = "std,tde->ste" if token_specific else "std,de->ste"
    q, k, v = (torch.einsum(of, x_STD, weights[n]) for n in ("G.query", "G.key", "local.value"))
    torch.testing.assert_close(mix(x_STD), Attend(T, D, heads=1)(q, k, v), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("local", [Identity(), Projection(), Projection(token_specific=True), LearnedLocal(),
    LearnedLocal(shared=True), BasisLocal(), Free(columns=3)])  # fmt: skip
@pytest.mark.parametrize("between", [Attention(), Attention(token_specific=True), TokenPermutation(heads=2),
    Gram(), LearnedGlobal(), LowRankGlobal(rank=3), FactoredGlobal(rank=2)])  # fmt: skip
def test_operations_are_those_that_pytorch_counts(
    between: GlobalPattern, local: LocalPattern, folded: bool
) -> None:
    """Of every pair of patterns; folded, nothing is left to do once a step."""
    S, T, D = 5, 4, 6
    mix = Mixing(T, D, between, local, block=3).requires_grad_(False)
    if folded:
        mix.fold()
    with counted() as counter:
        mix(torch.randn(S, T, D))
    assert mix.flops().of(0, S) == counter.get_total_flops()
    assert not (folded and mix.flops().step)
