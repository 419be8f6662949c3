"""HFA, GFA, DREF and DAPGA against their equations sample by sample, and where gradients go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from tests.layers.same import Weights, assert_same, attention, each_sample, layer_norm, linear, token_linear
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers import DAPGA, DREF, GFA, HFA, DomainFFN, Routes

K, D, S = 3, 4, 7
DOMAINS = [2, 0, 0, 2, 1, 2, 0]
ROUTES = Routes.of(torch.tensor(DOMAINS), K)
REQUEST_OF = torch.tensor([0, 0, 1, 1, 2, 3, 3])
USERS = torch.randn(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


class InOrder(nn.Module):
    """A layer of sorted samples, on samples in the order of the batch."""

    routes: Routes

    def __init__(self, layer: nn.Module, routes: Routes = ROUTES, users: Tensor | None = None) -> None:
        super().__init__()
        self.layer, self.routes, self.users = layer, routes, users

    def forward(self, x_SD: Tensor) -> Tensor:
        r = self.routes
        more = () if self.users is None else (self.users, r.sort(REQUEST_OF))
        return r.unsort(self.layer(r.sort(x_SD), *more, r))


def domain_ffn(w: Weights, name: str, k: int, x: Tensor) -> Tensor:
    """A row through the feed-forward of a domain."""
    return token_linear(w, f"{name}.down", k, F.gelu(token_linear(w, f"{name}.up", k, x)))


def ffn(w: Weights, name: str, x: Tensor) -> Tensor:
    """A row through Linear, GELU, Linear."""
    return linear(w, f"{name}.2", F.gelu(linear(w, f"{name}.0", x)))


def by_row(row: Callable[[int, Tensor], Tensor], x_SD: Tensor) -> Tensor:
    return torch.stack([row(s, x) for s, x in enumerate(x_SD)])


def dref(w: Weights, x_SD: Tensor) -> Tensor:
    def row(s: int, z: Tensor) -> Tensor:
        d, z = DOMAINS[s], layer_norm(z, w["layer.norm.weight"], w["layer.norm.bias"])
        a, b = domain_ffn(w, "layer.gate", d, z).exp()
        own, shared = domain_ffn(w, "layer.experts", d, z), ffn(w, "layer.shared", z)
        mixed: Tensor = (a * shared + b * own) / (a + b)
        return mixed

    return by_row(row, x_SD)


def dapga(w: Weights, x_SD: Tensor, heads: int) -> Tensor:
    """Stopped gradients are copies that nothing can flow through: of the weights and of the input."""
    constant, x_constant = {name: p.detach().clone() for name, p in w.items()}, x_SD.detach().clone()

    def row(s: int, e: Tensor) -> Tensor:
        d = DOMAINS[s]
        n = layer_norm(x_constant[s], constant["layer.norm.weight"], constant["layer.norm.bias"])
        views = [domain_ffn(constant, "layer.views", k, n) for k in range(K)]
        n = layer_norm(e, w["layer.norm.weight"], w["layer.norm.bias"])
        views[d] = domain_ffn(w, "layer.views", d, n)
        (seen, *_) = attention([views[d]] * K, views, views, heads)
        gate = torch.sigmoid(ffn(w, "layer.gate", USERS[int(REQUEST_OF[s])]))
        return seen * gate

    return by_row(row, x_SD)


def test_a_domain_has_a_feed_forward_of_its_own() -> None:
    def reference(w: Weights, x: Tensor) -> Tensor:
        return by_row(lambda s, row: domain_ffn(w, "layer", DOMAINS[s], row), x)

    assert_same(InOrder(DomainFFN(K, D, 6, 3)), reference, S, D)


def test_dref_mixes_the_shared_and_the_domains_expert() -> None:
    assert_same(InOrder(DREF(K, D, 6, 5)), dref, S, D)


@pytest.mark.parametrize("heads", [1, 2])
def test_dapga_looks_at_all_views_and_trains_its_own(heads: int) -> None:
    layer = InOrder(DAPGA(K, D, 6, heads, gate_width=5, gate_hidden=3), users=USERS)
    assert_same(layer, lambda w, x: dapga(w, x, heads), S, D)


def test_hfa_is_attention_and_feed_forward_with_weights_of_each_token() -> None:
    T = 3

    def reference(w: Weights, x: Tensor) -> Tensor:
        def row(tokens: list[Tensor]) -> list[Tensor]:
            n = [layer_norm(t, w["norm_mix.weight"], w["norm_mix.bias"]) for t in tokens]
            q, k, v = ([token_linear(w, f"mix.{p}", t, x) for t, x in enumerate(n)] for p in "qkv")
            out = []
            for t, o in enumerate(attention(q, k, v, 2)):
                h = tokens[t] + token_linear(w, "mix.out", t, o)
                up = token_linear(w, "ffn.up", t, layer_norm(h, w["norm_ffn.weight"], w["norm_ffn.bias"]))
                out.append(h + token_linear(w, "ffn.down", t, F.gelu(up)))
            return out

        return each_sample(row, x)

    assert_same(HFA(T, 8, heads=2, expansion=1.5), reference, 4, T, 8)


@pytest.mark.parametrize("rank", [None, 3])
def test_gfa_makes_composite_tokens_of_all_features(rank: int | None) -> None:
    T, C, G = 3, 2, 6

    def reference(w: Weights, x: Tensor) -> Tensor:
        def row(tokens: list[Tensor]) -> list[Tensor]:
            whole = torch.cat([layer_norm(t, w["norm.weight"], w["norm.bias"]) for t in tokens])
            made = []
            for name in "qkv":
                flat = (
                    linear(w, name, whole)
                    if rank is None
                    else linear(w, f"{name}.1", w[f"{name}.0.weight"] @ whole)
                )
                made.append([flat[c * G : (c + 1) * G] for c in range(C)])
            q, k, v = made
            together = torch.cat(attention(q, k, v, heads=2))
            return [ffn(w, "ffn", layer_norm(together, w["norm_ffn.weight"], w["norm_ffn.bias"]))]

        return each_sample(row, x).squeeze(1)

    assert_same(GFA(T, D, C, G, heads=2, expansion=2.0, rank=rank), reference, 4, T, D)


def of_domain(p: Tensor, k: int) -> Tensor:
    """The gradient of a domain's share of a stacked weight."""
    assert p.grad is not None
    return p.grad[k]


@pytest.mark.parametrize("there", [{0}, {1}, {0, 2}])
def test_experts_of_domains_that_are_not_there_get_exactly_nothing(there: set[int]) -> None:
    rows = torch.tensor([s for s, d in enumerate(DOMAINS) if d in there])
    routes = Routes.of(torch.tensor(DOMAINS)[rows], K)
    users = torch.randn(len(rows), 5)
    mix, look = DREF(K, D, 6, 5), DAPGA(K, D, 6, 1, 5, 3)
    e = mix(torch.randn(len(rows), D), routes)
    torch.autograd.backward(look(e, users, torch.arange(len(rows)), routes).square().sum())
    for stack in (mix.experts, mix.gate, look.views):
        for name, p in stack.named_parameters():
            for k in range(K):
                assert bool(of_domain(p, k).any()) == (k in there), f"{name} of domain {k}"
    assert all(p.grad is not None and bool(p.grad.any()) for p in mix.shared.parameters())


def test_a_domains_gradients_are_those_of_its_own_samples_alone() -> None:
    """To the bit: other samples of the batch, even ones that are not numbers, leave no trace."""
    mix, look = DREF(K, D, 6, 5), DAPGA(K, D, 6, 1, 5, 3)
    x, users = torch.randn(S, D), USERS.float()

    def gradients(rows: list[int], spoilt: bool) -> list[Tensor]:
        mix.zero_grad()
        look.zero_grad()
        given = x.clone()
        if spoilt:
            given[torch.tensor(DOMAINS) != 0] = torch.nan
        at = torch.tensor(rows)
        routes = Routes.of(torch.tensor(DOMAINS)[at], K)
        of = REQUEST_OF[at]
        out = look(mix(routes.sort(given[at]), routes), users, routes.sort(of), routes)
        torch.autograd.backward(routes.unsort(out).square().sum())
        stacks = (mix.experts, mix.gate, look.views)
        return [of_domain(p, 0).clone() for stack in stacks for p in stack.parameters()]

    alone = gradients([s for s, d in enumerate(DOMAINS) if d == 0], spoilt=False)
    for other in (gradients(list(range(S)), spoilt=False), gradients(list(range(S)), spoilt=True)):
        assert all(torch.equal(a, b) for a, b in zip(alone, other, strict=True))


def test_nothing_flows_back_through_the_views_of_other_domains() -> None:
    """Where the own view does not depend on e, o still does, through the others; the gradient is 0."""
    look = DAPGA(K, D, 6, 1, 5, 3)
    with torch.no_grad():
        look.views.up.weight[1].zero_()
    routes = Routes.of(torch.ones(2, dtype=torch.int64), K)
    e = torch.randn(2, D, requires_grad=True)
    out = look(e, torch.randn(2, 5), torch.arange(2), routes)
    torch.autograd.backward(out.square().sum())
    assert e.grad is not None
    assert not e.grad.any()
    assert not torch.allclose(out, look(e + 1, torch.randn(2, 5), torch.arange(2), routes))
    query, views = look.look(e, routes)
    assert query.requires_grad
    assert torch.equal(views[:, 1], query)


def test_dapga_with_one_domain_is_a_gated_feed_forward() -> None:
    look = DAPGA(1, D, 6, 2, 5, 3)
    e, users = torch.randn(S, D), torch.randn(4, 5)
    routes = Routes.of(torch.zeros(S, dtype=torch.int64), 1)
    expected = look.views.of(0, look.norm(e)) * torch.sigmoid(look.gate(users))[REQUEST_OF]
    torch.testing.assert_close(look(e, users, REQUEST_OF, routes), expected)


@pytest.mark.parametrize("domains", [1, 2, 5])
def test_sorting_and_unsorting_are_inverse(domains: int) -> None:
    domain_S = torch.randint(domains, (40,), generator=torch.Generator().manual_seed(domains))
    routes, x = Routes.of(domain_S, domains), torch.randn(40, 2)
    assert torch.equal(routes.unsort(routes.sort(x)), x)
    assert routes.sizes == torch.bincount(domain_S, minlength=domains).tolist()
    for k, part in enumerate(routes.split(routes.sort(x))):
        assert torch.equal(part, x[domain_S == k])


def test_heads_that_do_not_divide_are_refused() -> None:
    for make in (lambda: DAPGA(K, 8, 6, 3, 5, 3), lambda: GFA(2, 4, 2, 8, 3, 1.0), lambda: HFA(2, 8, 3, 1.0)):
        with pytest.raises(CorankError, match="3 heads do not divide the token width 8"):
            make()
