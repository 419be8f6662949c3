"""Sparsity, sources, effective rank and concentration against values worked out by hand, and plain loops."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from corank.explain.statistics import concentration, effective_rank, kept, shares, sources, sparsity


def entropy(values: list[float]) -> float:
    total = sum(values)
    return -sum(v / total * math.log(v / total) for v in values if v)


def test_effective_rank_is_the_exponential_of_the_entropy_of_singular_values() -> None:
    """Values 3 and 1: shares 3/4 and 1/4, entropy .5623, rank 1.755, whatever the rotation."""
    expected = math.exp(entropy([3, 1]))
    assert expected == pytest.approx(4 / 3**0.75)
    turn = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    tall = torch.zeros(5, 3, dtype=torch.float64)
    tall[0, 0], tall[1, 1] = 3, -1
    assert float(effective_rank(turn @ tall)) == pytest.approx(expected)
    assert float(effective_rank(torch.diag(torch.tensor([3.0, -1.0, 0.0])))) == pytest.approx(expected)


def test_effective_rank_of_what_has_one_or_all_directions() -> None:
    assert float(effective_rank(torch.eye(7)[torch.randperm(7)])) == pytest.approx(7)
    assert float(effective_rank(torch.outer(torch.randn(6), torch.randn(4)))) == pytest.approx(1, abs=1e-4)
    assert float(effective_rank(torch.zeros(3, 3))) == 0


def test_effective_rank_of_symmetric_matrices_is_that_of_others() -> None:
    """Eigenvalues of either sign give what singular values give; several matrices give several."""
    w = torch.randn(3, 6, 6)
    w = w + w.mT
    noise = torch.zeros_like(w)
    noise[:, 0, 1] = 1e-9  # no longer symmetric to the bit
    torch.testing.assert_close(effective_rank(w), effective_rank(w.double() + noise), rtol=1e-6, atol=1e-6)
    assert [float(effective_rank(one)) for one in w] == pytest.approx(effective_rank(w).tolist())


def plain(w: Tensor) -> tuple[float, float, float]:
    """Sparsity, sources and kept, entry by entry."""
    rows = [[abs(v) / sum(map(abs, row)) for v in row] for row in w.tolist()]
    entries = [v for row in rows for v in row]
    empty = sum(v < 1 / (10 * len(rows[0])) for v in entries) / len(entries)
    return (
        empty,
        sum(math.exp(entropy(row)) for row in rows) / len(rows),
        sum(row[i] for i, row in enumerate(rows)) / len(rows),
    )


def test_sparsity_sources_and_kept_are_their_definitions() -> None:
    w = torch.randn(5, 5, dtype=torch.float64) ** 3
    assert (float(sparsity(w)), float(sources(w)), float(kept(w))) == pytest.approx(plain(w))
    rows = torch.tensor([[0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25], [0, 0, 1, 0], [0, 0, 0.5, 0.5]])
    assert float(sources(rows)) == pytest.approx((2 + 4 + 1 + 2) / 4)
    assert float(sparsity(rows)) == pytest.approx((2 + 0 + 3 + 2) / 16)
    assert float(kept(rows)) == pytest.approx((0.5 + 0.25 + 1 + 0.5) / 4)


def test_an_entry_is_empty_below_a_tenth_of_an_even_share() -> None:
    just = torch.tensor([[0.0249, 0.3, 0.3, 0.3751], [0.0251, 0.3, 0.3, 0.3749]])
    assert (shares(just) < 0.025).sum() == 1
    assert float(sparsity(just)) == pytest.approx(1 / 8)


def test_concentration_is_hoyers() -> None:
    assert float(concentration(torch.tensor([3.0, -4.0]))) == pytest.approx((2**0.5 - 7 / 5) / (2**0.5 - 1))
    assert concentration(torch.tensor([[2.0, -2, 2], [0, 0, -9]])).tolist() == pytest.approx([0, 1])
    assert concentration(torch.zeros(4)).isnan()
