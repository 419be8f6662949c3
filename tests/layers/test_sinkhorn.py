"""Sinkhorn against plain scaling in float64; its gradient against finite differences and an unrolled loop."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.layers.references import scaled
from torch import Tensor, nn

from corank.layers import sinkhorn
from corank.layers.sinkhorn import doubly_stochastic, row_error


def logits(kind: str, n: int, seed: int = 0) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    w = torch.randn(n, n, generator=g)
    if kind == "low rank":
        return torch.randn(n, 4, generator=g) @ torch.randn(4, n, generator=g)
    if kind == "permutation":
        return w + 6 * torch.eye(n)[torch.randperm(n, generator=g)]
    return {"normal": w, "wide": 3 * w, "equal": torch.ones(n, n)}[kind]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.sampled_from([1.0, 0.5]), st.booleans(), st.integers(0, 10_000))
def test_sinkhorn_equals_plain_scaling(n: int, tau: float, symmetric: bool, seed: int) -> None:
    w = torch.randn(n, n, generator=torch.Generator().manual_seed(seed))
    found = sinkhorn(w, tau, symmetric, iterations=400)
    torch.testing.assert_close(found.double(), scaled(w, tau, symmetric), rtol=1e-3, atol=2e-5)
    if symmetric:
        assert torch.equal(found, found.T)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("tau", [1.0, 0.2, 0.05])
@pytest.mark.parametrize("kind", ["normal", "low rank", "permutation", "wide", "equal"])
@pytest.mark.parametrize("n", [1, 2, 17, 96])
def test_rows_and_columns_sum_to_one_at_every_temperature(
    n: int, kind: str, tau: float, symmetric: bool
) -> None:
    """Where plain alternation is off by .001 to .01 after a thousand rounds."""
    w = sinkhorn(logits(kind, n), tau, symmetric)
    assert float(row_error(w)) < 1.5e-4
    assert float(row_error(w.T)) < 1.5e-4
    assert bool((w >= 0).all())
    assert not symmetric or torch.equal(w, w.T)


def test_sinkhorn_is_exact_in_columns_and_survives_a_sharp_temperature() -> None:
    w64 = torch.randn(64, 64, generator=torch.Generator().manual_seed(0)) * 3
    w = sinkhorn(w64, 0.05, symmetric=False)
    assert bool(torch.isfinite(w).all())
    torch.testing.assert_close(w.sum(0), torch.ones(64), rtol=1e-5, atol=1e-5)
    warm = sinkhorn(w64, 1.0, symmetric=True, iterations=200)
    assert float(row_error(warm)) < 1e-4


def test_a_sharp_matrix_is_the_one_that_plain_scaling_tends_to() -> None:
    w = logits("normal", 12)
    found = sinkhorn(w.double(), 0.1, symmetric=True, tolerance=1e-10)
    torch.testing.assert_close(found, scaled(w, 0.1, True, rounds=200_00), rtol=0, atol=1e-6)


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_small_temperature_finds_the_permutation(symmetric: bool) -> None:
    order = torch.tensor([1, 0, 2, 5, 4, 3]) if symmetric else torch.tensor([2, 5, 0, 3, 4, 1])
    permutation = torch.eye(6)[order]
    w = sinkhorn(permutation + 0.01 * torch.randn(6, 6), 0.01, symmetric, iterations=100)
    torch.testing.assert_close(w, permutation, rtol=0, atol=1e-6)


def test_the_cap_holds_and_the_error_is_told() -> None:
    w = logits("wide", 64)
    early, late = (float(row_error(sinkhorn(w, 0.05, iterations=n))) for n in (4, 200))
    assert late < 1.5e-4 < 1e-2 < early


def test_a_tighter_tolerance_comes_nearer() -> None:
    w = logits("normal", 32).double()
    errors = [float(row_error(sinkhorn(w, 0.2, tolerance=t))) for t in (1e-2, 1e-6, 1e-10)]
    assert all(error < t for error, t in zip(errors, (1e-2, 1e-6, 1e-10), strict=True))


def test_matrices_of_a_batch_do_not_disturb_one_another() -> None:
    batch = torch.stack([logits("normal", 8), logits("wide", 8), logits("equal", 8)])
    together = sinkhorn(batch, 0.1)
    for i in range(3):
        torch.testing.assert_close(together[i], sinkhorn(batch[i], 0.1), rtol=0, atol=2e-4)


def test_half_precision_is_computed_in_float32() -> None:
    w = logits("normal", 16).bfloat16()
    assert torch.equal(sinkhorn(w, 0.05), sinkhorn(w.float(), 0.05))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(sinkhorn(w, 0.05), sinkhorn(w.float(), 0.05))


def test_logits_that_are_no_numbers_end_as_such() -> None:
    w = logits("normal", 4)
    w[0, 0] = torch.nan
    assert bool(sinkhorn(w).isnan().any())


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_gradient_is_that_of_finite_differences(symmetric: bool) -> None:
    """Implicit differentiation, in float64, alone and in a batch."""
    for shape, tau in (((5, 5), 0.7), ((2, 3, 3), 0.4), ((1, 1), 1.0)):
        w = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        assert torch.autograd.gradcheck(
            lambda w, tau=tau: sinkhorn(w, tau, symmetric, tolerance=1e-13), w.requires_grad_()
        )


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("tau", [1.0, 0.2])
def test_the_gradient_is_that_of_an_unrolled_loop(tau: float, symmetric: bool) -> None:
    w, upstream = logits("normal", 24).double(), logits("normal", 24, seed=1).double()
    found, expected = (w.clone().requires_grad_() for _ in range(2))
    torch.autograd.backward((sinkhorn(found, tau, symmetric, tolerance=1e-12) * upstream).sum())
    torch.autograd.backward((scaled(expected, tau, symmetric, rounds=1500) * upstream).sum())
    torch.testing.assert_close(found.grad, expected.grad, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_sharp_gradient_in_float32_is_that_in_float64(symmetric: bool) -> None:
    """At tau = .05, default tolerance: within a hundredth of its length."""
    grads = []
    for dtype, tolerance in ((torch.float32, 1e-4), (torch.float64, 1e-11)):
        w = logits("normal", 48).to(dtype).requires_grad_()
        upstream = logits("normal", 48, seed=1).to(dtype)
        torch.autograd.backward((sinkhorn(w, 0.05, symmetric, tolerance) * upstream).sum())
        assert w.grad is not None
        grads.append(w.grad.double())
    assert float((grads[0] - grads[1]).norm() / grads[1].norm()) < 1e-2


@pytest.mark.parametrize("symmetric", [True, False])
def test_it_is_one_node_to_export_and_compile(symmetric: bool) -> None:
    class Module(nn.Module):
        def forward(self, w: Tensor) -> Tensor:
            return sinkhorn(w, 0.3, symmetric)

    w = logits("normal", 6)
    program = torch.export.export(Module(), (w,))
    nodes = [n for n in program.graph.nodes if "corank" in str(n.target)]
    assert len(nodes) == 1
    assert torch.equal(program.module()(w), sinkhorn(w, 0.3, symmetric))
    compiled = torch.compile(Module(), backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(w), sinkhorn(w, 0.3, symmetric))


def test_the_operation_is_registered_as_pytorch_wants_it() -> None:
    for symmetric in (True, False):
        w = logits("normal", 5).requires_grad_()
        checks = ("test_schema", "test_autograd_registration", "test_faketensor")
        torch.library.opcheck(doubly_stochastic, (w, symmetric, 1e-4, 100), test_utils=checks)
