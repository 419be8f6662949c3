"""Each layer against an independent plain reference, written from its definition with loops."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers import (
    BatchNorm,
    CrossNetwork,
    NumberEmbedding,
    PerTokenFFN,
    PerTokenSwiGLU,
    PostNorm,
    PreNorm,
    RMSNorm,
    SiameseNorm,
    SplitLinear,
    TokenMixer,
)


def test_batch_norm_is_of_the_batch_in_training_and_of_its_estimates_after() -> None:
    norm = BatchNorm(3, momentum=0.25, eps=1e-5)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = 4 + 2 * torch.randn(50, 3)
    expected = torch.empty(50, 3)
    for c in range(3):
        mean = sum(float(v) for v in x[:, c]) / 50
        variance = sum((float(v) - mean) ** 2 for v in x[:, c]) / 50
        for s in range(50):
            expected[s, c] = norm.weight[c] * (x[s, c] - mean) / math.sqrt(variance + 1e-5) + norm.bias[c]
    torch.testing.assert_close(norm(x), expected, rtol=1e-4, atol=1e-5)
    centre, spread = 0.25 * x.mean(0), 0.75 + 0.25 * x.var(0)
    torch.testing.assert_close((norm.mean, norm.variance), (centre, spread))
    after = norm.weight * (x - centre) / (spread + 1e-5).sqrt() + norm.bias
    torch.testing.assert_close(norm.eval()(x), after)
    torch.testing.assert_close(norm(x[:1]), after[:1])


def test_batch_norm_trains_on_one_row_by_its_estimates() -> None:
    """One row has no variance; the estimates stay as they are."""
    norm = BatchNorm(3)
    norm(torch.randn(20, 3))
    estimates, row = (norm.mean.clone(), norm.variance.clone()), torch.randn(1, 3)
    trained = norm(row)
    assert torch.equal(trained, norm.eval()(row))
    assert torch.equal(norm.mean, estimates[0])
    assert torch.equal(norm.variance, estimates[1])


def rms_norm(x: Tensor) -> Tensor:
    return x / (x.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()


@pytest.mark.parametrize(("tokens", "width", "heads"), [(2, 6, 2), (3, 8, 4), (1, 4, 2), (5, 3, 1)])
def test_token_mixer_is_the_kronecker_permutation(tokens: int, width: int, heads: int) -> None:
    """On the flattened input it is G (x) I, doubly stochastic, symmetric exactly when T = H."""
    mix = TokenMixer(width, heads)
    L, d = tokens * width, width // heads
    g = torch.zeros(tokens * heads, tokens * heads)
    for t in range(tokens):
        for h in range(heads):
            g[h * tokens + t, t * heads + h] = 1
    w = torch.kron(g, torch.eye(d))
    assert torch.equal(w.sum(0), torch.ones(L))
    assert torch.equal(w.sum(1), torch.ones(L))
    assert torch.equal(w, w.T) == (tokens == heads or min(tokens, heads) == 1)
    x = torch.randn(4, tokens, width)
    assert torch.equal(mix(x).flatten(1), x.flatten(1) @ w.T)


def test_token_mixer_refuses_heads_that_do_not_divide() -> None:
    with pytest.raises(CorankError, match="3 heads do not divide the token width 8"):
        TokenMixer(8, 3)


def test_cross_network_is_its_recurrence() -> None:
    cross = CrossNetwork(5, layers=3)
    x0 = torch.randn(7, 5)
    x = x0
    for layer in cross.layers:
        assert isinstance(layer, nn.Linear)
        x = x0 * (x @ layer.weight.T + layer.bias) + x
    torch.testing.assert_close(cross(x0), x, rtol=1e-6, atol=1e-6)


def test_low_rank_cross_has_fewer_parameters() -> None:
    full, low = CrossNetwork(32, 2), CrossNetwork(32, 2, rank=4)
    count = [sum(p.numel() for p in module.parameters()) for module in (full, low)]
    assert count == [2 * (32 * 32 + 32), 2 * (2 * 32 * 4 + 32)]


def test_split_linear_is_a_linear_map_of_the_concatenation() -> None:
    split = SplitLinear(3, 4, 5)
    request, sample, of = torch.randn(2, 3), torch.randn(6, 4), torch.tensor([0, 0, 1, 1, 1, 1])
    weight = torch.cat([split.request.weight, split.sample.weight], dim=1)
    joined = torch.cat([request[of], sample], dim=1)
    expected = joined @ weight.T + split.sample.bias
    torch.testing.assert_close(split(request, sample, of), expected, rtol=1e-6, atol=1e-6)


def test_per_token_layers_are_one_network_a_token() -> None:
    T, D = 3, 4
    ffn, glu = PerTokenFFN(T, D, 2.0), PerTokenSwiGLU(T, D, 2.0)
    for p in [*ffn.parameters(), *glu.parameters()]:
        nn.init.normal_(p, std=0.3)
    x = torch.randn(5, T, D)
    for t in range(T):
        up = x[:, t] @ ffn.up.weight[t] + ffn.up.bias[t]
        expected = F.gelu(up) @ ffn.down.weight[t] + ffn.down.bias[t]
        torch.testing.assert_close(ffn(x)[:, t], expected, rtol=1e-6, atol=1e-6)
        gate = x[:, t] @ glu.gate.weight[t] + glu.gate.bias[t]
        up = x[:, t] @ glu.up.weight[t] + glu.up.bias[t]
        expected = (up * gate * torch.sigmoid(gate)) @ glu.down.weight[t] + glu.down.bias[t]
        torch.testing.assert_close(glu(x)[:, t], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 3, 8), (1, 1, 1), (7, 2)])
def test_rms_norm_is_pytorchs_forward_and_backward(shape: tuple[int, ...]) -> None:
    ours, theirs = RMSNorm(shape[-1]), nn.RMSNorm(shape[-1], eps=1e-6)
    with torch.no_grad():
        for norm in (ours, theirs):
            norm.weight.copy_(torch.linspace(0.5, 2, shape[-1]))
    x, upstream = torch.randn(shape, requires_grad=True), torch.randn(shape)
    results = []
    for norm in (ours, theirs):
        y = norm(x)
        results.append([y, *torch.autograd.grad(y, [x, norm.weight], upstream)])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_siamese_norm_runs_its_two_streams() -> None:
    blocks = [nn.Linear(4, 4) for _ in range(3)]
    x = torch.randn(2, 3, 4)
    xs = ys = x
    for block in blocks:
        o = block(xs + rms_norm(ys))
        xs, ys = rms_norm(xs + o), ys + o
    torch.testing.assert_close(SiameseNorm(blocks, 4)(x), xs + rms_norm(ys), rtol=1e-5, atol=1e-6)


def test_pre_and_post_norm_run_their_stream() -> None:
    blocks = [nn.Linear(4, 4) for _ in range(3)]
    x = torch.randn(2, 3, 4)
    pre = post = x
    for block in blocks:
        pre = pre + block(rms_norm(pre))
        post = rms_norm(post + block(post))
    torch.testing.assert_close(PreNorm(blocks, 4)(x), rms_norm(pre), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(PostNorm(blocks, 4)(x), post, rtol=1e-5, atol=1e-6)


def test_number_embedding_is_piecewise_linear_and_marks_missing() -> None:
    layer = NumberEmbedding(fields=2, width=3, bins=4)
    x = torch.tensor([[0.0, 0.3], [1.0, math.nan]])
    out = layer(x)
    for s, f in [(0, 0), (0, 1), (1, 0)]:
        filled = torch.tensor([min(max(4 * float(x[s, f]) - k, 0.0), 1.0) for k in range(4)])
        torch.testing.assert_close(out[s, f], filled @ layer.weight[f] + layer.bias[f])
    assert torch.equal(out[1, 1], layer.missing[1])
    out.sum().backward()
    assert layer.weight.grad is not None
    assert bool(torch.isfinite(layer.weight.grad).all())
