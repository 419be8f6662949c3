"""UniMixing-Lite, as in the paper, against its definition with loops."""

from __future__ import annotations

import pytest
import torch
from tests.layers.references import assert_same, gradients, mixed, scaled

from corank.errors import CorankError
from corank.layers import UniMixingLiteConfig


@pytest.mark.parametrize(("tokens", "width", "block"), [(2, 6, 4), (3, 4, 1), (1, 8, 8), (4, 4, 16)])
@pytest.mark.parametrize("symmetric", [True, False])
def test_unimixing_lite_is_its_definition(tokens: int, width: int, block: int, symmetric: bool) -> None:
    """Blocks times their own W_B, composed of bases, then mixed by W_r: forward and backward."""
    config = UniMixingLiteConfig(
        block=block, rank=3, basis=2, symmetric=symmetric, tolerance=1e-10, global_init="normal", lean=2
    )
    layer = config.build(tokens, width).double()
    layer.tau.fill_(0.7)
    p = dict(layer.named_parameters())
    N = tokens * width // block
    local = []
    for i in range(N):
        w = torch.zeros(block, block, dtype=torch.float64)
        for k in range(2):
            w = w + p["local.omega_NV"][i, k] * p["local.z_VCC"][k]
        local.append(scaled(w, 0.7, symmetric))
    g = scaled(p["G.a_Nr"] @ p["G.b_rN"], 0.7, symmetric)
    x = torch.randn(5, tokens, width, dtype=torch.float64, requires_grad=True)
    expected = torch.stack([mixed(one, g, torch.stack(local)) for one in x])
    inputs, upstream = [x, *p.values()], torch.randn(5, tokens, width, dtype=torch.float64)
    assert_same(gradients(layer(x), inputs, upstream), gradients(expected, inputs, upstream))


def test_mixing_parameters_are_as_the_paper_counts_them() -> None:
    """2 N r + b B^2 + N b."""
    layer = UniMixingLiteConfig(block=4, rank=6, basis=3).build(tokens=6, width=8)
    N = 12
    assert sum(p.numel() for p in layer.parameters()) == 2 * N * 6 + 3 * 16 + N * 3


def test_logits_have_low_rank_and_the_matrix_has_not() -> None:
    layer = UniMixingLiteConfig(rank=4, symmetric=False, global_init="normal").build(8, 64)
    p, matrix = dict(layer.named_parameters()), layer.matrix()
    assert matrix is not None
    assert torch.linalg.matrix_rank(p["G.a_Nr"] @ p["G.b_rN"]) == 4
    assert torch.linalg.matrix_rank(matrix, rtol=1e-4) > 4


def test_blocks_that_do_not_divide_are_refused() -> None:
    with pytest.raises(CorankError, match="blocks of 5 do not divide 4 tokens x 8 channels"):
        UniMixingLiteConfig(block=5).build(4, 8)
