"""Factorization machines and Wukong's layer against their definitions, pair by pair."""

from __future__ import annotations

import itertools

import pytest
import torch
from tests.layers.same import Weights, assert_same, each_sample, layer_norm, linear
from torch import Tensor

from corank.errors import CorankError
from corank.layers import FactorizationMachine, WukongLayer
from corank.layers.embedding import Slot


def slots(names: str, width: int) -> list[Slot]:
    return [Slot(name, "user", width) for name in names]


@pytest.mark.parametrize(("request_fields", "sample_fields"), [("ab", "cde"), ("", "cd"), ("a", "")])
def test_factorization_machine_sums_all_pairs(request_fields: str, sample_fields: str) -> None:
    """Rendle's eq. 1 on the fields of both sides, forward and gradients."""
    k = 4
    layer = FactorizationMachine(slots(request_fields, k + 1), slots(sample_fields, k + 1), k + 1)
    g = torch.Generator().manual_seed(0)
    e_r = torch.randn(2, len(request_fields) * (k + 1), generator=g, dtype=torch.float64).requires_grad_()
    e_s = torch.randn(5, len(sample_fields) * (k + 1), generator=g, dtype=torch.float64).requires_grad_()
    of = torch.tensor([0, 0, 1, 1, 1])
    rows = []
    for s in range(5):
        both = torch.cat([e_r[of[s]], e_s[s]])
        fields = torch.split(both, k + 1)
        zero = torch.zeros((), dtype=torch.float64)
        first = sum((f[-1] for f in fields), zero)
        pairs = sum(((a[:-1] * b[:-1]).sum() for a, b in itertools.combinations(fields, 2)), zero)
        rows.append(torch.stack([first, pairs]))
    results = []
    for y in (layer(e_r, e_s, of), torch.stack(rows)):
        upstream = torch.linspace(-1, 1, 10, dtype=torch.float64).reshape(5, 2)
        given = [e for e in (e_r, e_s) if e.numel()]
        results.append([y, *torch.autograd.grad(y, given, upstream)])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


def test_fields_of_another_width_are_refused() -> None:
    sentence = "factorization machine: field 'b' is 6 wide; expected embedding_width, 5, for every field"
    with pytest.raises(CorankError, match=sentence):
        FactorizationMachine(slots("a", 5), slots("b", 6), 5)
    with pytest.raises(CorankError, match="embedding_width 1; expected 2 or more"):
        FactorizationMachine(slots("a", 1), [], 1)


@pytest.mark.parametrize(("products", "combinations"), [(2, 3), (2, 2)])
def test_wukong_layer_is_its_definition(products: int, combinations: int) -> None:
    """X' = LN(concat(FMB(X), LCB(X)) + X); X is projected where 2 + 2 tokens are made of 5."""
    n, d, k = 5, 4, 3

    def reference(w: Weights, x_STD: Tensor) -> Tensor:
        def row(tokens: list[Tensor]) -> list[Tensor]:
            dots = torch.stack([torch.stack([(a * b).sum() for b in tokens]) for a in tokens])
            flat = (dots @ w["fmb.products.local.y_NC"]).flatten()
            h = layer_norm(flat, w["fmb.norm.weight"], w["fmb.norm.bias"])
            h = linear(w, "fmb.mlp.layers.0", h).clamp(min=0)
            made = list(torch.split(linear(w, "fmb.last", h), d))
            made += list(w["lcb.weight_oT"] @ torch.stack(tokens))
            if len(made) != n:
                tokens = list(w["residual.weight_oT"] @ torch.stack(tokens))
            both = zip(made, tokens, strict=True)
            return [layer_norm(m + x, w["norm.weight"], w["norm.bias"]) for m, x in both]

        return each_sample(row, x_STD)

    assert_same(WukongLayer(n, d, k, (7,), products, combinations), reference, 3, n, d)
