"""UniMixing against its definition, with every part of the constraint on or off; initial logits; folding."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from tests.layers.references import assert_same, gradients, mixed, scaled
from torch import Tensor

from corank.errors import CorankError
from corank.layers import Mixing, TokenMixer, UniMixingConfig, UniMixingFactoredConfig, UniMixingLiteConfig
from corank.layers.leaning import bias
from corank.layers.patterns import Learned, MixingShape
from corank.layers.sinkhorn import sinkhorn

AnyConfig = UniMixingConfig | UniMixingLiteConfig | UniMixingFactoredConfig
CONFIGS = [
    UniMixingConfig(),
    UniMixingConfig(shared_local=True),
    UniMixingLiteConfig(),
    UniMixingFactoredConfig(),
]
SHAPES = [(2, 6, 4), (3, 4, 1), (1, 8, 8), (4, 4, 16), (1, 1, 1)]


def constrained(w: Tensor, symmetric: bool, with_sinkhorn: bool) -> Tensor:
    if with_sinkhorn:
        return scaled(w, 0.7, symmetric)
    return (w + w.mT) / 2 if symmetric else w


@pytest.mark.parametrize(("tokens", "width", "block"), SHAPES)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("with_sinkhorn", [True, False])
@pytest.mark.parametrize("symmetric", [True, False])
def test_unimixing_is_its_definition(
    tokens: int, width: int, block: int, shared: bool, with_sinkhorn: bool, symmetric: bool
) -> None:
    """Forward and backward, with loops; and as the dense operator whose (i, j) block is W_G[i, j] W_B^j^T."""
    config = UniMixingConfig(
        block=block,
        shared_local=shared,
        sinkhorn=with_sinkhorn,
        symmetric=symmetric,
        tolerance=1e-10,
        global_init="normal",
        lean=2,
    )
    layer = config.build(tokens, width).double()
    layer.tau.fill_(0.7)
    x = torch.randn(3, tokens, width, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(3, tokens, width, dtype=torch.float64)
    p = dict(layer.named_parameters())
    inputs = [x, p["G.w_NN"], p["local.w_NCC"]]
    N = tokens * width // block
    w_g = constrained(p["G.w_NN"], symmetric, with_sinkhorn)
    w_b = constrained(p["local.w_NCC"], symmetric, with_sinkhorn).expand(N, block, block)
    plain = torch.stack([mixed(one, w_g, w_b) for one in x])
    dense = torch.cat([torch.cat([w_g[i, j] * w_b[j].T for j in range(N)], 1) for i in range(N)], 0)
    operator = (x.flatten(1) @ dense.T).view(x.shape)
    found = gradients(layer(x), inputs, upstream)
    assert_same(found, gradients(plain, inputs, upstream))
    assert_same(found, gradients(operator, inputs, upstream))


@pytest.mark.parametrize("shared", [True, False])
def test_parameters_are_as_the_paper_counts_them(shared: bool) -> None:
    """N^2 + N B^2."""
    layer = UniMixingConfig(block=4, shared_local=shared).build(tokens=6, width=8)
    assert sum(p.numel() for p in layer.parameters()) == 12**2 + (1 if shared else 12) * 4**2


@pytest.mark.parametrize("config", CONFIGS)
def test_gradients_reach_every_parameter(config: AnyConfig) -> None:
    torch.manual_seed(0)
    layer = config.build(4, 8)
    layer(torch.randn(3, 4, 8)).pow(2).sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("tau", [1.0, 0.05])
def test_a_folded_layer_gives_the_same_and_has_no_parameters(config: AnyConfig, tau: float) -> None:
    layer = config.build(4, 16)
    layer.tau.fill_(tau)
    x = torch.randn(3, 4, 16)
    before, matrix = layer(x), layer.matrix()
    layer.fold()
    torch.testing.assert_close(layer(x), before, rtol=1e-6, atol=1e-6)
    assert torch.equal(torch.as_tensor(layer.matrix()), torch.as_tensor(matrix))
    assert list(layer.parameters()) == []
    layer.tau.fill_(0.5)  # no more used
    layer.fold()
    torch.testing.assert_close(layer(x), before, rtol=1e-6, atol=1e-6)


def called(program: torch.export.ExportedProgram) -> set[str]:
    """The functions of a graph and of graphs within it."""
    graphs = [m.graph for m in program.graph_module.modules() if isinstance(m, torch.fx.GraphModule)]
    return {str(node.target) for graph in graphs for node in graph.nodes if node.op == "call_function"}


@pytest.mark.parametrize("config", CONFIGS)
def test_a_folded_graph_has_no_sinkhorn(config: AnyConfig) -> None:
    """Matrix products and moves of memory are all that is left."""
    layer = config.build(4, 16).eval()
    x = torch.randn(3, 4, 16)
    batch = {"x_STD": {0: torch.export.Dim("S", min=2)}}
    whole = torch.export.export(layer, (x,), dynamic_shapes=batch)
    assert any("corank" in name for name in called(whole))
    layer.fold()
    program = torch.export.export(layer, (x,), dynamic_shapes=batch)
    unwanted = ("corank", "exp", "div", "softmax", "sum", "einsum", "add")
    assert [name for name in called(program) if any(word in name for word in unwanted)] == []
    other = torch.randn(7, 4, 16)
    torch.testing.assert_close(program.module()(other), layer(other), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("config", CONFIGS)
def test_bfloat16_is_near(config: AnyConfig) -> None:
    """Blocks in bfloat16, matrices made in float32: within 2 per cent of the largest number."""
    layer = config.build(8, 32)
    layer.tau.fill_(0.2)
    x = torch.randn(6, 8, 32)
    with torch.no_grad():
        expected, found = layer(x), layer(x.bfloat16())
    assert found.dtype == torch.bfloat16
    assert float((found.float() - expected).abs().max() / expected.abs().max()) < 0.02


@pytest.mark.parametrize("init", ["identity", "permutation"])
def test_logits_lean_to_a_permutation(init: Literal["identity", "permutation"]) -> None:
    """Its entries begin with most of their row at tau = 1, and more so as tau falls."""
    tokens, width, block = 8, 64, 4
    order = torch.arange(128).view(8, 16, 1) if init == "identity" else None
    x = torch.arange(tokens * width, dtype=torch.float32).view(1, tokens, width)
    target = x if order is not None else TokenMixer(width, tokens)(x)
    moved = (target.flatten().view(-1, block)[:, 0] / block).long()  # which block comes n-th
    for config in (UniMixingConfig(global_init=init), UniMixingLiteConfig(global_init=init, rank=64)):
        layer = config.build(tokens, width)
        shares = []
        for tau in (1.0, 0.3):
            layer.tau.fill_(tau)
            matrix = layer.matrix()
            assert matrix is not None
            assert float((matrix.argmax(1) == moved).float().mean()) > 0.9
            shares.append(float(matrix[torch.arange(128), moved].mean()))
        assert 0.5 < shares[0] < shares[1]


@pytest.mark.parametrize(
    ("tokens", "width", "block"),
    [(3, 8, 4), (8, 16, 4), (4, 32, 4), (5, 12, 4), (6, 10, 4), (3, 4, 4), (1, 8, 2)],
)
def test_tokens_exchange_blocks_whatever_the_shape(tokens: int, width: int, block: int) -> None:
    """An order that is its own inverse, RankMixer's where that exists: a default layer fits anywhere."""
    shape = MixingShape(tokens, width, block)
    order = shape.exchange_order()
    N, K = shape.blocks, shape.blocks // tokens
    assert torch.equal(order[order], torch.arange(N))
    if width % tokens == 0 and width // tokens % block == 0:
        assert torch.equal(order, shape.token_mixer_order(tokens))
    if N % tokens == 0:
        moved = (order // K != torch.arange(N) // K).float().mean()
        side = min(tokens, K)
        assert moved == pytest.approx((tokens // side * side * (K // side)) * (side - 1) / N)
    for config in (UniMixingConfig(block=block), UniMixingLiteConfig(block=block)):
        assert config.build(tokens, width)(torch.randn(2, tokens, width)).shape == (2, tokens, width)


def test_local_logits_lean_to_the_identity_or_not() -> None:
    torch.manual_seed(0)
    lite = UniMixingLiteConfig(global_init="normal")
    for config in (UniMixingConfig(), lite, UniMixingFactoredConfig()):
        kept = []
        for init in ("identity", "normal"):
            layer = config.model_copy(update={"local_init": init}).build(8, 64)
            assert isinstance(layer.local, Learned)
            w_NCC = layer.local.matrices(layer.tau)[0].detach()
            kept.append(float(w_NCC.diagonal(dim1=1, dim2=2).mean()))
        assert kept[0] > 0.6
        assert kept[1] == pytest.approx(0.25, abs=0.1)


def test_the_lean_is_log_odds() -> None:
    for n in (2, 64):
        row = torch.zeros(n)
        row[0] = bias(1.5, n)
        assert float(row.softmax(0)[0]) == pytest.approx(1 / (1 + 2.718281828**-1.5), rel=1e-5)


def test_lean_without_sinkhorn_is_the_permutation_itself() -> None:
    layer = UniMixingConfig(sinkhorn=False, global_init="identity", symmetric=False).build(8, 64)
    matrix = layer.matrix()
    assert matrix is not None
    assert float((matrix - torch.eye(128)).detach().std()) == pytest.approx(128**-0.5, rel=0.1)


@pytest.mark.parametrize(
    ("config", "tokens", "width", "sentence"),
    [
        (UniMixingConfig(block=5), 4, 8, "blocks of 5 do not divide 4 tokens x 8 channels"),
        (
            UniMixingLiteConfig(global_init="identity", rank=4),
            8,
            64,
            "logits of rank 4 are too few to lean to a permutation of 128 blocks: expected a rank of 11",
        ),
        (UniMixingLiteConfig(global_init="identity", sinkhorn=False), 8, 64, "init must be normal"),
    ],
)
def test_what_cannot_be_is_refused(config: AnyConfig, tokens: int, width: int, sentence: str) -> None:
    with pytest.raises(CorankError, match=sentence):
        config.build(tokens, width)


def test_matrices_are_made_once_whatever_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(w: Tensor, tau: Tensor, symmetric: bool, tolerance: float, iterations: int) -> Tensor:
        calls.append(w)
        return sinkhorn(w, tau, symmetric, tolerance, iterations)

    monkeypatch.setattr("corank.layers.unimixing.sinkhorn", counted)
    layer: Mixing = UniMixingConfig().build(4, 8)
    layer(torch.randn(100, 4, 8))
    assert len(calls) == 2
    layer.fold()
    layer(torch.randn(100, 4, 8))
    assert len(calls) == 4  # two to fold, none after
