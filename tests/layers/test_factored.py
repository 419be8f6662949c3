"""The factored form: doubly stochastic, of low rank, never N x N, its gradient that of the dense form."""

from __future__ import annotations

from math import sqrt

import pytest
import torch
from tests.layers.references import assert_same, gradients, mixed, scaled
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers import (
    FactoredGlobal,
    Identity,
    Mixing,
    UniMixingFactoredConfig,
    UniMixingLiteConfig,
    factored_sinkhorn,
)
from corank.layers.factored import factored_doubly_stochastic


def factors(n: int, r: int, symmetric: bool, spread: float = 1.5, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    a = spread * torch.randn(n, r, generator=g)
    return a, a.roll(r // 2, 1).t() if symmetric else spread * torch.randn(r, n, generator=g)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("sharp", [1.0, 5.0, 20.0])
@pytest.mark.parametrize(("n", "r"), [(1, 2), (2, 2), (5, 8), (40, 4), (96, 32)])
def test_rows_and_columns_sum_to_one_at_every_temperature(
    n: int, r: int, sharp: float, symmetric: bool
) -> None:
    a, b = factors(n, r, symmetric)
    left, right = factored_sinkhorn(a * sharp, b * sharp, symmetric)
    p = left.double() @ right.double()
    assert bool((left >= 0).all() and (right >= 0).all())
    assert float((p.sum(0) - 1).abs().max()) < 1.5e-4
    assert float((p.sum(1) - 1).abs().max()) < 1.5e-4
    assert not symmetric or float((p - p.T).abs().max()) < 1e-6
    assert torch.linalg.matrix_rank(p, rtol=1e-5) <= r


@pytest.mark.parametrize("symmetric", [True, False])
def test_it_is_the_scaled_product_of_its_factors(symmetric: bool) -> None:
    """Forward and backward, against plain scaling of the N x N matrix in float64, unrolled."""
    a, b = (x.double().requires_grad_() for x in factors(12, 4, symmetric=False))
    upstream = torch.randn(12, 12, dtype=torch.float64)
    second = a.roll(2, 1).t() if symmetric else b
    inputs = [a] if symmetric else [a, b]
    left, right = factored_sinkhorn(a, second, symmetric, tolerance=1e-12)
    found = gradients(left @ right, inputs, upstream)
    dense = torch.log(torch.exp(a) @ torch.exp(second))
    assert_same(found, gradients(scaled(dense, 1.0, symmetric, rounds=1500), inputs, upstream), 1e-8)


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_gradient_is_that_of_finite_differences(symmetric: bool) -> None:
    a, b = (x.double().requires_grad_() for x in factors(5, 4, symmetric=False))

    def product(a: Tensor, b: Tensor) -> Tensor:
        second = a.roll(2, 1).t() if symmetric else b
        left, right = factored_sinkhorn(a, second, symmetric, tolerance=1e-13)
        return left @ right

    assert torch.autograd.gradcheck(product, (a, b))


@pytest.mark.parametrize("symmetric", [True, False])
def test_nothing_of_size_n_by_n_is_made(symmetric: bool) -> None:
    """No operation takes memory for N^2 numbers, forward, backward and folded: N = 1024, r = 4."""
    x = torch.randn(1, 8, 128, requires_grad=True)
    largest = {}
    for config in (
        UniMixingFactoredConfig(block=1, rank=4, symmetric=symmetric),
        UniMixingLiteConfig(block=1, rank=4, symmetric=symmetric, global_init="normal"),
    ):
        layer = config.build(tokens=8, width=128)
        with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
        ) as profile:
            layer(x).pow(2).sum().backward()
            layer.fold()
            layer(x)
        largest[type(config)] = max(event.self_cpu_memory_usage for event in profile.events()) // 4
    assert largest[UniMixingFactoredConfig] < 1024**2 / 50
    assert largest[UniMixingLiteConfig] >= 1024**2  # the measure sees what it should


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(("tokens", "width", "block"), [(2, 6, 4), (3, 4, 1), (1, 8, 8), (4, 4, 16)])
def test_mixing_is_its_definition(tokens: int, width: int, block: int, symmetric: bool) -> None:
    config = UniMixingFactoredConfig(block=block, rank=4, symmetric=symmetric, tolerance=1e-9, lean=2)
    layer = config.build(tokens, width).double()
    layer.tau.fill_(0.7)
    p = dict(layer.named_parameters())
    a = p["G.a_Nr"]
    b = a.roll(2, 1).t() if symmetric else p["G.b_rN"]
    w_g = scaled(torch.log(torch.exp(a / 0.7) @ torch.exp(b / 0.7)), 1.0, symmetric)
    w_b = torch.einsum("nv,vcd->ncd", p["local.omega_NV"], p["local.z_VCC"])
    w_b = scaled(w_b.detach(), 0.7, symmetric, rounds=20_000)
    x = torch.randn(3, tokens, width, dtype=torch.float64)
    expected = torch.stack([mixed(one, w_g, w_b) for one in x])
    torch.testing.assert_close(layer(x), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("symmetric", [True, False])
def test_parameters_are_counted(symmetric: bool) -> None:
    """N r or 2 N r, + b B^2 + N b."""
    layer = UniMixingFactoredConfig(block=4, rank=6, basis=3, symmetric=symmetric).build(tokens=6, width=8)
    N = 12
    expected = (N if symmetric else 2 * N) * 6 + 3 * 16 + N * 3
    assert sum(p.numel() for p in layer.parameters()) == expected


def test_a_low_rank_matrix_is_no_permutation_and_group_averages_are_the_nearest() -> None:
    """||P - I|| >= sqrt(N - r), which the average within r groups attains: what the docs say of it."""
    n, r = 12, 4
    group = torch.eye(r).repeat_interleave(n // r, dim=0)
    left, right = factored_sinkhorn(50 * group, 50 * group.t())
    p = left @ right
    torch.testing.assert_close(p, group @ group.t() * r / n, rtol=0, atol=1e-5)
    assert float((p - torch.eye(n)).norm()) == pytest.approx(sqrt(n - r), abs=1e-4)
    for seed in range(5):
        a, b = factors(n, r, symmetric=False, spread=10, seed=seed)
        left, right = factored_sinkhorn(a, b)
        assert float((left @ right - torch.eye(n)).norm()) >= sqrt(n - r) - 1e-3


def test_it_is_one_node_to_export() -> None:
    class Module(nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            left, right = factored_sinkhorn(a, b)
            return left @ right

    a, b = factors(6, 3, symmetric=False)
    program = torch.export.export(Module(), (a, b))
    assert len([n for n in program.graph.nodes if "corank" in str(n.target)]) == 1
    torch.testing.assert_close(program.module()(a, b), Module()(a, b))
    checks = ("test_schema", "test_autograd_registration", "test_faketensor")
    inputs = (a.requires_grad_(), b.requires_grad_(), False, 1e-4, 100)
    torch.library.opcheck(factored_doubly_stochastic, inputs, test_utils=checks)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(CorankError, match="a symmetric factored matrix has an even rank, found 5"):
        UniMixingFactoredConfig(rank=5).build(4, 8)
    with pytest.raises(CorankError, match="a factored matrix of rank 16 cannot lean to a permutation"):
        UniMixingFactoredConfig(global_init="identity").build(4, 64)
    with pytest.raises(CorankError, match="blocks of 5 do not divide 4 tokens x 8 channels"):
        Mixing(4, 8, FactoredGlobal(), Identity(), block=5)
