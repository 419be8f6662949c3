"""Mixing layers whose matrix is known, and hidden states and attention against plain passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch
from tests.inputs import make_batch, make_schema
from torch import Tensor, nn

from corank.explain.layers import MixingLayer, mixing_layers
from corank.explain.matrices import described_layer
from corank.explain.result import Layer
from corank.explain.states import Seen, look
from corank.explain.statistics import concentration, effective_rank
from corank.explain.tokens import described
from corank.features.batch import Batch
from corank.features.reader import Reader
from corank.layers.attention import SelfAttention
from corank.layers.field_attention import PairWeight
from corank.layers.interacting import InteractingLayer
from corank.layers.per_token import PerTokenLinear
from corank.layers.token_mixer import TokenMixer
from corank.models import create_model, list_models
from corank.models.base import RankingModel

SCHEMA = make_schema()
KINDS = {
    "autoint": "attention",
    "fat": "attention",
    "hetero_attention": "attention",
    "hhsft": "attention",
    "hiformer": "attention",
    "transformer": "attention",
    "rankmixer": "fixed",
    "rankmixer_sparse": "fixed",
    "tokenmixer_large": "fixed",
    "unimixer": "learned",
    "unimixer_lite": "learned",
    "unimixer_lite_esuif": "learned",
    "unimixer_lite_factored": "learned",
    "wukong": "products",
}


class Batches:
    """A reader of batches that are at hand."""

    def __init__(self, *sizes: tuple[int, int]) -> None:
        self.made = [make_batch(SCHEMA, *size, seed=i) for i, size in enumerate(sizes)]

    def batches(self) -> Iterator[tuple[Batch, Any]]:
        return iter(self.made)


def seen_by(model: RankingModel, requests: int = 100) -> tuple[list[MixingLayer], Seen]:
    layers = mixing_layers(model)
    reader = cast(Reader, Batches((4, 20), (3, 11)))
    with model.folded():
        return layers, look(model, layers, reader, requests)


def figures(model: RankingModel) -> list[Layer]:
    layers, seen = seen_by(model)
    tokens = described(model)
    return [described_layer(f"layer {i + 1}", layer, tokens, seen, i) for i, layer in enumerate(layers)]


def sharp(name: str, init: str) -> RankingModel:
    """At the lowest temperature, logits far from noise."""
    settings = [f"mixing.global_init={init}", "mixing.lean=60", "mixing.rank=64"]
    model = create_model(name, SCHEMA, settings[: 2 if name.startswith("unimixer_xs") else 3]).eval()
    model.set_progress(1.0)
    return model


@pytest.mark.parametrize("name", ["unimixer_xs", "unimixer_lite_xs"])
def test_mixing_that_is_the_identity_looks_like_it(name: str) -> None:
    (layer,) = figures(sharp(name, "identity"))
    assert (layer.kind, layer.size) == ("learned", 64)
    assert layer.tau == pytest.approx(0.05)
    assert layer.mixing is not None
    assert layer.by_token is not None
    assert layer.by_group is not None
    assert layer.mixing.kept == pytest.approx(1, abs=1e-3)
    assert layer.mixing.sources == pytest.approx(1, abs=1e-2)
    assert layer.mixing.sparsity == pytest.approx(63 / 64, abs=1e-3)
    assert layer.mixing.rank == pytest.approx(64, abs=0.1)
    torch.testing.assert_close(torch.tensor(layer.by_token.values), torch.eye(8), rtol=0, atol=1e-3)
    assert layer.by_group.rows == layer.by_group.columns
    torch.testing.assert_close(
        torch.tensor(layer.by_group.values), torch.eye(len(layer.by_group.rows)), rtol=0, atol=1e-3
    )
    # What comes out of a mixing that changes nothing between blocks has the tokens' own channels.
    assert layer.before is not None
    assert layer.after is not None
    assert layer.local is not None
    assert layer.after.rank_in_sample == pytest.approx(layer.before.rank_in_sample, rel=0.2)


@pytest.mark.parametrize("name", ["unimixer_xs", "rankmixer_xs"])
def test_mixing_that_is_the_permutation_of_heads_takes_alike_from_every_token(name: str) -> None:
    """Learned to it, or RankMixer's own: one source a block, and an eighth of each token."""
    model = create_model(name, SCHEMA).eval() if name == "rankmixer_xs" else sharp(name, "permutation")
    (layer,) = figures(model)
    assert layer.mixing is not None
    assert layer.by_token is not None
    assert layer.mixing.sources == pytest.approx(1, abs=1e-2)
    assert layer.mixing.rank == pytest.approx(64, abs=0.1)
    torch.testing.assert_close(
        torch.tensor(layer.by_token.values), torch.full((8, 8), 1 / 8), rtol=0, atol=1e-3
    )
    assert layer.by_token.even == pytest.approx([1 / 8] * 8)


@pytest.mark.parametrize("name", ["rankmixer_s", "tokenmixer_large_s"])
def test_a_fixed_matrix_is_what_the_layer_does(name: str) -> None:
    """Multiplied with the heads of random tokens, it gives what the layer gives."""
    model = create_model(name, SCHEMA)
    layers = mixing_layers(model)
    assert len(layers) == {"rankmixer_s": 2, "tokenmixer_large_s": 4}[name]
    for layer in layers:
        constant = layer.constant
        assert constant is not None
        shape = constant.shape
        x = torch.randn(3, shape.tokens, shape.width)
        heads = x.view(3, shape.blocks, shape.block)
        made = (constant.g_NN @ heads).view(3, constant.out_tokens, -1)
        assert isinstance(layer.module, TokenMixer)
        assert torch.equal(made, layer.module(x))
        assert layer.remade == (name == "tokenmixer_large_s")


@pytest.mark.parametrize("name", list_models("*_xs"))
def test_every_model_is_looked_into(name: str) -> None:
    """All mixing layers are found; shares sum to 1; ranks lie between 1 and the most there can be."""
    family = name.removesuffix("_xs")
    blocks = "hfa.blocks=2" if family == "hhsft" else "blocks=2"
    has = family == "hhsft" or "blocks" in _fields(name)
    model = create_model(name, SCHEMA, [blocks] if has else []).eval()
    layers = figures(model)
    assert {layer.kind for layer in layers} == ({KINDS[family]} if family in KINDS else set())
    assert len(layers) == (2 if layers else 0)
    for layer in layers:
        assert layer.mixing is not None
        assert layer.by_token is not None
        assert 0 <= layer.mixing.sparsity < 1
        assert 1 <= layer.mixing.sources <= layer.size * 1.0001
        assert 1 <= layer.mixing.rank <= layer.size * 1.0001
        for shares in (layer.by_token, layer.by_group):
            if shares is not None:
                assert [sum(row) for row in shares.values] == pytest.approx([1] * len(shares.rows))
                assert sum(shares.even) == pytest.approx(1)
        for states in (layer.before, layer.after):
            assert states is not None
            assert 1 <= states.rank <= states.width
            assert 1 <= states.rank_in_sample <= min(states.width, states.tokens)
        first_or_alike = layer.name == "layer 1" or family != "wukong"
        assert (layer.by_group is not None) == first_or_alike  # Wukong's later tokens are of no field


def _fields(name: str) -> set[str]:
    return set(type(create_model(name, SCHEMA).config).model_fields)


def test_hidden_states_are_those_that_go_in_and_come_out() -> None:
    """Ranks from singular values of the states kept one by one, of exactly the requests asked for."""
    model = create_model("unimixer_lite_s", SCHEMA).eval()
    layers, seen = seen_by(model, requests=6)
    first, second = Batches((4, 20), (3, 11)).made
    of_S = second[0].request_of_S
    assert (seen.requests, seen.samples) == (6, 20 + int((of_S < 2).sum()))
    kept_: dict[int, list[tuple[Tensor, Tensor]]] = {0: [], 1: []}
    for i, layer in enumerate(layers):
        layer.module.register_forward_hook(lambda _m, x, y, i=i: kept_[i].append((x[0], y)))
    with torch.no_grad(), model.folded():
        model(first[0])
        model(second[0])
    for i in (0, 1):
        for side, sums in enumerate((seen.before[i], seen.after[i])):
            x = torch.cat([pair[side] for pair in kept_[i]])[: seen.samples].double()
            found = sums.statistics()
            assert found is not None
            assert found.rank == pytest.approx(float(effective_rank(x.flatten(0, 1))), rel=1e-4)
            each = [float(effective_rank(one)) for one in x]
            assert found.rank_in_sample == pytest.approx(sum(each) / len(each), rel=1e-4)
            assert found.concentration == pytest.approx(float(concentration(x).mean()))


@pytest.mark.parametrize("name", ["transformer_xs", "hetero_attention_xs", "fat_xs", "autoint_xs"])
def test_attention_is_the_mean_of_softmaxes(name: str) -> None:
    """Head by head, sample by sample, from the projections of the layer's input."""
    model = create_model(name, SCHEMA).eval()
    for pair in model.modules():
        if isinstance(pair, PairWeight):  # all 1 at first
            nn.init.normal_(pair.weight_TT, mean=1.0)
    layers, seen = seen_by(model)
    inputs: list[Tensor] = []
    layers[0].module.register_forward_pre_hook(lambda _m, x: inputs.append(x[0]))
    with torch.no_grad():
        for batch, _ in Batches((4, 20), (3, 11)).made:
            model(batch)
        total = sum(_attention(layers[0].module, x) for one in inputs for x in one)
    found = seen.weights[0].mean()
    assert found is not None
    assert isinstance(total, Tensor)
    torch.testing.assert_close(found, total.double() / seen.samples, rtol=1e-4, atol=1e-5)


def _attention(layer: Any, x_TD: Tensor) -> Tensor:
    """[T, T], the mean over heads."""

    def project(linear: nn.Module) -> Tensor:
        if isinstance(linear, PerTokenLinear) or hasattr(linear, "share_TV"):
            return torch.cat([linear(x_TD.unsqueeze(1))[t] for t in range(len(x_TD))])
        made: Tensor = linear(x_TD)
        return made

    heads = layer.attend.heads
    q, k = (project(part).chunk(heads, dim=1) for part in (layer.q, layer.k))
    scale = 1.0 if isinstance(layer, InteractingLayer) else q[0].shape[1] ** -0.5
    pair = layer.pair.weight_TT if hasattr(layer, "pair") else 1.0
    assert isinstance(layer, SelfAttention) or hasattr(layer, "attend")
    weights = [(a @ b.T * scale * pair).softmax(1) for a, b in zip(q, k, strict=True)]
    return torch.stack(weights).mean(0)


def test_without_requests_only_what_does_not_depend_on_them_is_told() -> None:
    for name, told in (("unimixer_xs", True), ("transformer_xs", False)):
        model = create_model(name, SCHEMA).eval()
        layers = mixing_layers(model)
        seen = look(model, layers, None, 0)
        layer = described_layer("layer 1", layers[0], described(model), seen, 0)
        assert (layer.mixing is not None, layer.by_token is not None) == (told, told)
        assert (layer.before, layer.after) == (None, None)
        assert seen.mean_E() is None
