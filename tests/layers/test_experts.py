"""Routed experts, and TokenMixer-Large's block, against their definitions."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from tests.layers.same import Weights, assert_same, each_sample, rms_norm, token_linear
from torch import Tensor

from corank.config import Config
from corank.errors import CorankError
from corank.layers import (
    MixRevertBlock,
    PerTokenFFN,
    PerTokenSwiGLU,
    ReLURouter,
    RoutedFFN,
    RoutingConfig,
    SharedExpert,
)

T, D = 3, 4


@pytest.mark.parametrize("kind", ["gelu", "swiglu"])
def test_routed_experts_are_weighed_by_their_gates(kind: Literal["gelu", "swiglu"]) -> None:
    """v = sum_j G_j e_j(s), each expert a network of its own, gates of 0 among them."""
    E, hidden = 3, 8

    def reference(w: Weights, x: Tensor) -> Tensor:
        def row(tokens: list[Tensor]) -> list[Tensor]:
            out = []
            for t, s in enumerate(tokens):
                gates = token_linear(w, "router.linear", t, s).clamp(min=0)
                total = torch.zeros(D, dtype=torch.float64)
                for j in range(E):
                    at = slice(j * hidden, (j + 1) * hidden)
                    up = s @ w["up.weight"][t][:, at] + w["up.bias"][t, 0, at]
                    if kind == "gelu":
                        h = F.gelu(up)
                    else:
                        h = up * F.silu(s @ w["gate.weight"][t][:, at] + w["gate.bias"][t, 0, at])
                    total = total + gates[j] * (h @ w["down"][t, at] + w["bias"][t, j])
                out.append(total)
            return out

        return each_sample(row, x)

    layer = RoutedFFN(T, D, expansion=2.0, routing=RoutingConfig(experts=E), kind=kind)
    assert_same(layer, reference, 4, T, D)
    gates = layer.router(torch.randn(T, 50, D, dtype=torch.float64))
    assert 0 < float((gates > 0).double().mean()) < 1


def test_one_expert_with_a_gate_of_one_is_the_dense_feed_forward() -> None:
    dense, routed = PerTokenFFN(T, D, 2.0), RoutedFFN(T, D, 2.0, RoutingConfig(experts=2))
    with torch.no_grad():
        routed.router.linear.weight.zero_()
        routed.router.linear.bias.copy_(torch.tensor([1.0, 0.0]).expand(T, 1, 2))
        routed.up.weight[..., :8] = dense.up.weight
        routed.up.bias[..., :8] = dense.up.bias
        routed.down[:, :8] = dense.down.weight
        routed.bias[:, :1] = dense.down.bias
    x = torch.randn(5, T, D)
    torch.testing.assert_close(routed(x), dense(x), rtol=1e-6, atol=1e-6)


def test_the_shared_expert_is_added() -> None:
    shared, routed = PerTokenSwiGLU(T, D, 1.0), RoutedFFN(T, D, 1.0, RoutingConfig(), kind="swiglu")
    x = torch.randn(5, T, D)
    torch.testing.assert_close(SharedExpert(shared, routed)(x), shared(x) + routed(x))


def test_the_penalty_presses_open_gates_or_pulls_closed_ones_and_its_weight_adapts() -> None:
    config = RoutingConfig(experts=4, active=0.5, l1_start=0.01, l1_growth=2, revival=0.3)
    router = ReLURouter(T, D, config).train()
    weight = 0.01
    for bias, factor in [(9.0, 2), (9.0, 2), (-9.0, 0.5)]:  # all open, then none
        router.linear.bias.data.fill_(bias)
        x = torch.randn(T, 6, D)
        gates = router(x).tolist()
        open_sum = sum(sum(gates[t][s]) for t in range(T) for s in range(6))
        logits = (x @ router.linear.weight + bias).tolist()
        closed_sum = -sum(h for t in range(T) for s in range(6) for h in logits[t][s])
        expected = weight * open_sum if bias > 0 else 0.3 * closed_sum
        assert float(router.penalty().detach()) == pytest.approx(expected / (T * 6), rel=1e-5)
        weight *= factor
        assert float(router.l1_weight) == pytest.approx(weight)
        assert float(router.share) == (1.0 if bias > 0 else 0.0)
    router.eval()
    router(torch.randn(T, 6, D))
    assert float(router.l1_weight) == pytest.approx(weight)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("experts=1", "'experts' = 1: input should be greater than or equal to 2"),
        ("active=0", "'active' = 0: input should be greater than 0"),
        ("l1_growth=1", "'l1_growth' = 1: input should be greater than 1"),
    ],
)
def test_settings_of_routing_that_cannot_be_are_refused(setting: str, sentence: str) -> None:
    config: Config = RoutingConfig()
    with pytest.raises(CorankError, match=sentence):
        config.with_settings([setting])


@pytest.mark.parametrize(("tokens", "width", "heads"), [(3, 4, 2), (4, 8, 4), (2, 6, 3)])
def test_mix_revert_block_is_its_equations(tokens: int, width: int, heads: int) -> None:
    """Mixed tokens are heads side by side; the second residual meets the tokens as they came in."""
    d = width // heads

    def glu(w: Weights, name: str, t: int, x: Tensor) -> Tensor:
        gate = token_linear(w, f"{name}.gate", t, x)
        h = token_linear(w, f"{name}.up", t, x) * gate * torch.sigmoid(gate)
        return token_linear(w, f"{name}.down", t, h)

    def reference(w: Weights, x: Tensor) -> Tensor:
        def row(x: list[Tensor]) -> list[Tensor]:
            mixed = [torch.cat([t[h * d : (h + 1) * d] for t in x]) for h in range(heads)]
            for h, m in enumerate(mixed):
                mixed[h] = m + glu(w, "ffn_mixed", h, rms_norm(m, w["norm_mixed.weight"]))
            back = [torch.cat([m[t * d : (t + 1) * d] for m in mixed]) for t in range(tokens)]
            return [x[t] + glu(w, "ffn", t, rms_norm(r, w["norm.weight"])) for t, r in enumerate(back)]

        return each_sample(row, x)

    block = MixRevertBlock(tokens, width, heads, lambda n, wide: PerTokenSwiGLU(n, wide, 0.5))
    assert_same(block, reference, 4, tokens, width)


def test_mix_revert_block_refuses_heads_that_do_not_divide() -> None:
    with pytest.raises(CorankError, match="3 heads do not divide the token width 8"):
        MixRevertBlock(2, 8, 3, lambda n, wide: PerTokenSwiGLU(n, wide, 1.0))
