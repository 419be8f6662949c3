"""What the baselines are as whole models: sums, tokens, residuals, losses on the way."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from tests.inputs import make_batch, make_schema
from torch import Tensor, nn

from corank.errors import CorankError
from corank.layers import ReLURouter
from corank.models import RankingModel, create_model
from corank.models.fm import FM, DeepFM
from corank.models.tokenmixer_large import TokenMixerLarge

SCHEMA = make_schema()
BATCH, LABELS = make_batch(SCHEMA, 5, 40)


def click_loss(logits: dict[str, Tensor]) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits["click"], LABELS.click_S)


def fields(model: RankingModel, width: int) -> Tensor:
    request_RE, sample_SE = model.embedding(BATCH)
    joined = torch.cat([request_RE[BATCH.request_of_S], sample_SE], dim=1)
    return joined.reshape(40, -1, width)


def head(model: RankingModel) -> nn.Linear:
    """The click's."""
    made = model.heads["click"]
    assert isinstance(made, nn.Linear)
    return made


def test_fm_is_bias_and_first_order_and_all_pairs() -> None:
    model = create_model("fm_xs", SCHEMA)
    assert isinstance(model, FM)
    head(model).bias.data.fill_(0.3)
    e = fields(model, 8)
    v, w = e[..., :-1], e[..., -1]
    pairs = sum(((v[:, f] * v[:, g]).sum(1) for f in range(e.shape[1]) for g in range(f)), torch.zeros(40))
    a, b = head(model).weight[0]
    assert (float(a), float(b)) == pytest.approx((e.shape[1] ** -0.5, 1 / (e.shape[1] * 7**0.5)))
    torch.testing.assert_close(model(BATCH)["click"], 0.3 + a * w.sum(1) + b * pairs, rtol=1e-5, atol=1e-6)
    plain = create_model("fm_xs", SCHEMA, ["start=sum"])
    assert head(plain).weight[0].tolist() == [1, 1]


def test_deepfm_adds_an_mlp_on_the_same_vectors() -> None:
    model = create_model("deepfm_xs", SCHEMA)
    assert isinstance(model, DeepFM)
    e = fields(model, 8)
    v, w = e[..., :-1], e[..., -1]
    pairs = (v.sum(1).square() - v.square().sum(1)).sum(1) / 2
    of_request = len(model.embedding.request_slots)
    request, sample = v[:, :of_request].flatten(1), v[:, of_request:].flatten(1)
    h = request @ model.first.request.weight.T + model.first.sample(sample)
    a, b, *_ = head(model).weight[0]
    deep = model.mlp(h.relu()) @ head(model).weight[0, 2:]
    torch.testing.assert_close(model(BATCH)["click"], a * w.sum(1) + b * pairs + deep, rtol=1e-5, atol=1e-5)


def test_fm_refuses_a_field_of_its_own_width() -> None:
    ids = (SCHEMA.sample.ids[0].model_copy(update={"width": 12}), SCHEMA.sample.ids[1])
    sample = SCHEMA.sample.model_copy(update={"ids": ids})
    with pytest.raises(CorankError, match="field 'item_id' is 12 wide; expected embedding_width, 8"):
        create_model("fm_xs", SCHEMA.model_copy(update={"sample": sample}))


@pytest.mark.parametrize(
    ("name", "setting", "sentence"),
    [
        ("transformer_s", "heads=3", "3 heads do not divide the token width 64"),
        ("hiformer_s", "heads=5", "5 heads do not divide the token width 64"),
        ("fat_xs", "width=17", "2 heads do not divide the token width 17"),
        ("autoint_s", "heads=5", "5 heads do not divide the token width 64"),
        ("tokenmixer_large_s", "heads=7", "7 heads do not divide the token width 64"),
        ("rankmixer_sparse_s", "tokenizer.tokens=7", "7 heads do not divide the token width 64"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(name: str, setting: str, sentence: str) -> None:
    with pytest.raises(CorankError, match=sentence):
        create_model(name, SCHEMA, [setting])


def test_tokenmixer_large_has_a_global_token_and_residuals_across_groups() -> None:
    model = create_model("tokenmixer_large_xs", SCHEMA, ["blocks=5", "interval=2"]).eval()
    assert isinstance(model, TokenMixerLarge)
    request_RE, sample_SE = model.embedding(BATCH)
    of = BATCH.request_of_S
    whole = torch.cat([model.everything.request.weight, model.everything.sample.weight], dim=1)
    g = torch.cat([request_RE[of], sample_SE], dim=1) @ whole.T + model.everything.sample.bias
    x = torch.cat([g.unsqueeze(1), model.tokenizer(request_RE, sample_SE, of)], dim=1)
    sizes = []
    for group in model.groups:
        start, blocks = x, list(group.children())
        sizes.append(len(blocks))
        for block in blocks:
            x = block(x)
        x = x + start
    assert sizes == [2, 2, 1]
    z = model.norm(x).mean(1)
    torch.testing.assert_close(
        model(BATCH)["click"], model.heads["click"](z).squeeze(1), rtol=1e-5, atol=1e-6
    )


def test_small_down_projections_begin_near_the_identity() -> None:
    """With W_down at 0 a group doubles its input: the residual of its blocks and that around it."""
    model = create_model("tokenmixer_large_xs", SCHEMA, ["down_scale=1e-12", "sparse=true"]).eval()
    assert isinstance(model, TokenMixerLarge)
    x = torch.randn(3, 8, 32)
    for group in model.groups:
        torch.testing.assert_close(group(x), x, rtol=0, atol=1e-5)


def test_losses_on_the_way_are_those_of_earlier_logits() -> None:
    model = create_model("tokenmixer_large_xs", SCHEMA, ["early_weight=0.5"]).train()
    assert isinstance(model, TokenMixerLarge)
    seen: list[Tensor] = []
    for group in model.groups:
        group.register_forward_hook(lambda _m, given, made: seen.append(given[0] + made))
    model(BATCH)
    z = model.norm(seen[0]).mean(1)
    expected = 0.5 * click_loss({"click": model.early.each[0]["click"](z).squeeze(1)})
    assert len(seen) == 2
    (name, term), *more = model.auxiliary_losses(click_loss).items()
    assert (name, more) == ("early", [])
    torch.testing.assert_close(term, expected)
    model.eval()(BATCH)
    assert model.auxiliary_losses(click_loss) == {}


@pytest.mark.parametrize("name", ["dlrm_mlp_xs", "dcnv2_xs", "rankmixer_xs", "hiformer_xs", "fm_xs"])
def test_most_models_add_nothing_to_the_loss(name: str) -> None:
    model = create_model(name, SCHEMA).train()
    model(BATCH)
    assert model.auxiliary_losses(click_loss) == {}


@pytest.mark.parametrize(
    ("name", "settings", "target"),
    [
        ("rankmixer_sparse_xs", [], 0.25),
        ("rankmixer_sparse_xs", ["routing.active=0.5"], 0.5),
        ("tokenmixer_large_xs", ["sparse=true", "blocks=2"], 0.25),
    ],
)
def test_routing_moves_to_its_target_share(name: str, settings: list[str], target: float) -> None:
    """On batches with something to learn: towards the target, and it stays there in every router."""
    torch.manual_seed(0)
    model = create_model(name, SCHEMA, settings).train()
    routers = [m for m in model.modules() if isinstance(m, ReLURouter)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    shares: list[list[float]] = []
    for step in range(250):
        batch, _ = make_batch(SCHEMA, 20, 128, seed=step)
        label = ((batch.sample.ids[:, 0] + batch.request.ids[batch.request_of_S, 0]) % 3 == 0).float()

        def loss(logits: dict[str, Tensor], label: Tensor = label) -> Tensor:
            return F.binary_cross_entropy_with_logits(logits["click"], label)

        value = loss(model(batch)) + sum(model.auxiliary_losses(loss).values())
        optimizer.zero_grad()
        torch.autograd.backward(value)
        optimizer.step()
        shares.append([float(router.share) for router in routers])
    assert min(shares[0]) > 0.55
    late = torch.tensor(shares[-100:]).mean(0)
    assert float((late - target).abs().max()) < 0.08
