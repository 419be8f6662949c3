"""Sinkhorn and UniMixing-Lite against references in float64 with loops."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from corank.errors import CorankError
from corank.layers import UniMixingLiteConfig, sinkhorn
from corank.layers.sinkhorn import row_error


def reference_sinkhorn(w: Tensor, tau: float, symmetric: bool) -> Tensor:
    """Alternate rows and columns, plainly, until nothing moves."""
    w = w.double()
    if symmetric:
        w = (w + w.T) / 2
    k = torch.exp(w / tau - (w / tau).max())
    for _ in range(2000):
        k = k / k.sum(1, keepdim=True)
        k = k / k.sum(0, keepdim=True)
    return k


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.sampled_from([1.0, 0.5]), st.booleans(), st.integers(0, 10_000))
def test_sinkhorn_equals_plain_scaling(n: int, tau: float, symmetric: bool, seed: int) -> None:
    logits = torch.randn(n, n, generator=torch.Generator().manual_seed(seed))
    w = sinkhorn(logits, tau, symmetric, iterations=400)
    torch.testing.assert_close(w.double(), reference_sinkhorn(logits, tau, symmetric), rtol=1e-3, atol=2e-5)
    if symmetric:
        assert torch.equal(w, w.T)


def test_sinkhorn_is_exact_in_columns_and_survives_a_sharp_temperature() -> None:
    logits = torch.randn(64, 64, generator=torch.Generator().manual_seed(0)) * 3
    w = sinkhorn(logits, 0.05, symmetric=False)
    assert bool(torch.isfinite(w).all())
    torch.testing.assert_close(w.sum(0), torch.ones(64), rtol=1e-5, atol=1e-5)
    warm = sinkhorn(logits, 1.0, symmetric=True, iterations=200)
    assert float(row_error(warm)) < 1e-4


def test_a_small_temperature_finds_the_permutation() -> None:
    permutation = torch.eye(6)[torch.tensor([2, 5, 0, 3, 4, 1])]
    w = sinkhorn(permutation + 0.01 * torch.randn(6, 6), 0.01, symmetric=False, iterations=100)
    torch.testing.assert_close(w, permutation, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("tokens", "width", "block"), [(2, 6, 4), (3, 4, 1), (1, 8, 8), (4, 4, 16)])
@pytest.mark.parametrize("symmetric", [True, False])
def test_unimixing_lite_is_its_definition(tokens: int, width: int, block: int, symmetric: bool) -> None:
    """Blocks times their own W_B, then mixed by W_r: with loops, and as one dense operator."""
    config = UniMixingLiteConfig(block=block, rank=3, basis=2, symmetric=symmetric, iterations=50)
    layer = config.build(tokens, width)
    layer.tau.fill_(0.7)
    N = tokens * width // block
    local = [
        sinkhorn(
            sum((layer.omega_NV[i, k] * layer.z_VCC[k] for k in range(2)), torch.zeros(block, block)),
            0.7,
            symmetric,
            50,
        )
        for i in range(N)
    ]
    g = sinkhorn(layer.a_Nr @ layer.b_rN, 0.7, symmetric, 50)
    x = torch.randn(5, tokens, width)
    h = torch.stack([x.flatten(1)[:, i * block : (i + 1) * block] @ local[i] for i in range(N)], dim=1)
    expected = torch.stack([sum((g[i, j] * h[:, j] for j in range(N)), torch.zeros(1)) for i in range(N)], 1)
    torch.testing.assert_close(layer(x).flatten(1), expected.flatten(1), rtol=1e-5, atol=1e-6)

    dense = torch.cat([torch.cat([g[i, j] * local[j].T for j in range(N)], 1) for i in range(N)], 0)
    torch.testing.assert_close(layer(x).flatten(1), x.flatten(1) @ dense.T, rtol=1e-5, atol=1e-6)


def test_mixing_parameters_are_as_the_paper_counts_them() -> None:
    """2 N r + b B^2 + N b."""
    layer = UniMixingLiteConfig(block=4, rank=5, basis=3).build(tokens=6, width=8)
    N = 12
    assert sum(p.numel() for p in layer.parameters()) == 2 * N * 5 + 3 * 16 + N * 3


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_gradient_is_that_of_the_fixed_point(symmetric: bool) -> None:
    """Against finite differences of the plain reference, in float64."""
    g = torch.Generator().manual_seed(1)
    logits, upstream = torch.randn(5, 5, generator=g), torch.randn(5, 5, generator=g)
    free = logits.clone().requires_grad_()
    torch.autograd.backward((sinkhorn(free, 0.7, symmetric, iterations=200) * upstream).sum())
    assert free.grad is not None
    for i, j in [(0, 0), (1, 3), (4, 2)]:
        step = torch.zeros(5, 5, dtype=torch.float64)
        step[i, j] = 1e-5
        up, down = (reference_sinkhorn(logits.double() + s * step, 0.7, symmetric) for s in (1, -1))
        expected = float(((up - down) * upstream).sum() / 2e-5)
        assert float(free.grad[i, j]) == pytest.approx(expected, abs=2e-3)


def test_gradients_reach_every_parameter() -> None:
    layer = UniMixingLiteConfig().build(4, 8)
    layer(torch.randn(3, 4, 8)).pow(2).sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


def test_blocks_that_do_not_divide_are_refused() -> None:
    with pytest.raises(CorankError, match="blocks of 5 do not divide 4 tokens x 8 channels"):
        UniMixingLiteConfig(block=5).build(4, 8)
