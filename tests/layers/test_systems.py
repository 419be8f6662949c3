"""The linear system of scalings: factorised or by conjugate gradients, the same; and where it is singular."""

from __future__ import annotations

import pytest
import torch

from corank.layers import sinkhorn
from corank.layers.systems import DIRECT, Full, conjugate_gradients, direct


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (3, 4, 4), (96, 96), (2, 3, 17, 17)])
@pytest.mark.parametrize("tau", [1.0, 0.3])
def test_both_ways_solve_the_system(shape: tuple[int, ...], tau: float) -> None:
    """Beside PyTorch's general solver, in float64."""
    torch.manual_seed(0)
    p = sinkhorn(torch.randn(shape, dtype=torch.float64), tau, tolerance=1e-9)
    sums, right = p.sum(-1), torch.randn(shape[:-1], dtype=torch.float64)
    expected = torch.linalg.solve(p + torch.diag_embed(sums), right.unsqueeze(-1)).squeeze(-1)
    found = direct(p, right)
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)
    by_products = conjugate_gradients(sums, Full(p, symmetric=True).times, right, 500, 1e-12)
    torch.testing.assert_close(by_products, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_that_only_exchange_leave_a_direction_open(dtype: torch.dtype) -> None:
    """P swaps two rows, so x_1 - x_2 is free: what is asked of x_1 + x_2 is found, and nothing overflows."""
    p = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], dtype=dtype)
    right = torch.tensor([3.0, 3.0, 4.0], dtype=dtype)
    x = Full(p, symmetric=True).adjoint(right)
    torch.testing.assert_close(x[0] + x[1], torch.tensor(3.0, dtype=dtype), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(x[2], torch.tensor(2.0, dtype=dtype), rtol=1e-5, atol=1e-5)


def test_a_matrix_too_large_to_factorise_is_scaled_alike() -> None:
    torch.manual_seed(0)
    w = torch.randn(DIRECT + 8, DIRECT + 8, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn_like(w)
    found = sinkhorn(w, 0.5, tolerance=1e-10)
    (gradient,) = torch.autograd.grad(found, w, upstream)
    p = found.detach()
    assert float((p.sum(-1) - 1).abs().max()) < 1e-9
    x = direct(p, (upstream * p).sum(-1) + (upstream * p).sum(-2))
    along = upstream * p - p * x.unsqueeze(-1)
    torch.testing.assert_close(gradient, (along + along.mT) / 2 / 0.5, rtol=1e-6, atol=1e-9)


def test_a_small_sharp_matrix_has_an_accurate_gradient() -> None:
    """At tau = .05 in float32 and its default tolerance: within 1e-5 of its length in float64."""
    grads = []
    for dtype, tolerance in ((torch.float32, 1e-4), (torch.float64, 1e-11)):
        torch.manual_seed(0)
        w = torch.randn(48, 48).to(dtype).detach().requires_grad_()
        upstream = torch.randn(48, 48).to(dtype)
        (gradient,) = torch.autograd.grad(sinkhorn(w, 0.05, tolerance=tolerance), w, upstream)
        grads.append(gradient.double())
    assert float((grads[0] - grads[1]).norm() / grads[1].norm()) < 1e-5


def test_two_halves_that_only_exchange_have_a_solution_in_float32() -> None:
    """The matrix is singular but for rounding, which must not take its factor away."""
    for seed in range(20):
        torch.manual_seed(seed)
        half = sinkhorn(torch.randn(40, 40), 0.3, symmetric=False)
        p = torch.zeros(80, 80)
        p[:40, 40:], p[40:, :40] = half, half.mT
        right = torch.randn(80)
        right[40:] += (right[:40].sum() - right[40:].sum()) / 40  # nothing is asked of the open direction
        x = Full(p, symmetric=True).adjoint(right)
        sums = p.double().sum(-1)
        residual = sums * x.double() + p.double() @ x.double() - right.double()
        assert float(residual.norm() / right.norm()) < 1e-4, seed
