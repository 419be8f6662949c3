"""HHSFT and ESUIF as whole models: parts, domains, the special case of one domain, unseen domains."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tests.inputs import make_batch, make_schema, rows
from torch import Tensor, nn

from corank.errors import CorankError
from corank.features.batch import Batch
from corank.features.schema import Domains, InputSchema, SideSchema
from corank.layers import DAPGA, DREF, DomainFFN
from corank.models import RankingModel, create_model, list_models, model_config
from corank.models.hhsft import HHSFT, HHSFTConfig

SCHEMA = make_schema()
BATCH, LABELS = make_batch(SCHEMA, 5, 40)
ALL_ON = ("esuif.dref=true", "esuif.dapga=true", "esuif.domain_heads=true")
ALL_OFF = ("esuif.dref=false", "esuif.dapga=false", "esuif.domain_heads=false")
OF_CODE = {0: 0, 1: 0, 2: 0, 3: 1, 4: 2}


def in_domain(batch: Batch, code: int) -> Batch:
    """The batch with all requests in one domain."""
    ids = batch.request.ids.clone()
    ids[:, 2] = code
    return replace(batch, request=replace(batch.request, ids=ids))


def without_fields(schema: InputSchema, *groups: str) -> InputSchema:
    """Without the request ids of these groups."""
    ids = tuple(i for i in schema.request.ids if i.group not in groups)
    return schema.model_copy(update={"request": schema.request.model_copy(update={"ids": ids})})


def one_domain(schema: InputSchema) -> InputSchema:
    """As after training on one domain alone."""
    user, device, domain = schema.request.ids
    ids = (user, device, domain.model_copy(update={"cardinality": 3, "values": ("search",)}))
    return schema.model_copy(update={"request": schema.request.model_copy(update={"ids": ids})})


def z_and_gate(model: RankingModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """Representations, and [x_User ; x_Domain] of each sample: user_id and domain, 8 numbers each."""
    request_RE, sample_SE = model.embedding(batch)
    z_SD = model.represent(request_RE, sample_SE, batch.request_of_S)
    return z_SD, torch.cat([request_RE[:, :8], request_RE[:, 16:24]], dim=1)[batch.request_of_S]


@pytest.mark.parametrize("residual", [True, False])
def test_hhsft_is_its_equations_sample_by_sample(residual: bool) -> None:
    torch.manual_seed(0)
    model = create_model("hhsft_xs", SCHEMA, [f"esuif.residual={residual}"]).eval()
    assert isinstance(model, HHSFT)
    assert model.esuif is not None
    dref, dapga, head = model.esuif.dref, model.esuif.dapga, model.heads["click"]
    assert isinstance(dref, DREF)
    assert isinstance(dapga, DAPGA)
    assert isinstance(head, DomainFFN)
    known = model.esuif.known(BATCH)
    z_SD, u_SU = z_and_gate(model, known)
    expected = []
    for z, u, request in zip(z_SD, u_SU, BATCH.request_of_S.tolist(), strict=True):
        d = OF_CODE[int(BATCH.request.ids[request, 2])]
        n = dref.norm(z.unsqueeze(0))
        a = dref.gate.of(d, n).softmax(1)
        e = residual * z + a[:, :1] * dref.shared(n) + a[:, 1:] * dref.experts.of(d, n)
        views = torch.cat([dapga.views.of(k, dapga.norm(e)) for k in range(3)])
        weights = (views @ views[d] / 32**0.5).softmax(0)
        o = residual * e[0] + (weights @ views) * torch.sigmoid(dapga.gate(u))
        expected.append(head.of(d, o.unsqueeze(0)))
    torch.testing.assert_close(model(BATCH)["click"], torch.cat(expected)[:, 0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("schema", [one_domain(SCHEMA), without_fields(SCHEMA, "domain")])
def test_with_one_domain_it_is_two_experts_and_a_gated_feed_forward(
    schema: InputSchema, residual: bool
) -> None:
    """The stated special case, for one domain in training and for no field that tells domains."""
    torch.manual_seed(0)
    model = create_model("hhsft_xs", schema, [f"esuif.residual={residual}"]).eval()
    batch, _ = make_batch(schema, 5, 40)
    assert model.esuif is not None
    known = model.esuif.known(batch)
    request_RE, sample_SE = model.embedding(known)
    z = model.represent(request_RE, sample_SE, batch.request_of_S)
    width = 24 if len(schema.request.ids) == 3 else 16
    gate_in = torch.cat([request_RE[:, :8], request_RE[:, 16:width]], dim=1)[batch.request_of_S]
    w = dict(model.named_parameters())

    def ffn(name: str, x: Tensor) -> Tensor:
        h = F.gelu(x @ w[f"{name}.up.weight"][0] + w[f"{name}.up.bias"][0])
        return h @ w[f"{name}.down.weight"][0] + w[f"{name}.down.bias"][0]

    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[1:], w[f"{name}.weight"], w[f"{name}.bias"])

    def plain(name: str, x: Tensor) -> Tensor:
        h = F.gelu(F.linear(x, w[f"{name}.0.weight"], w[f"{name}.0.bias"]))
        return F.linear(h, w[f"{name}.2.weight"], w[f"{name}.2.bias"])

    n = norm("esuif.dref.norm", z)
    a = ffn("esuif.dref.gate", n).softmax(1)
    experts = a[:, :1] * plain("esuif.dref.shared", n) + a[:, 1:] * ffn("esuif.dref.experts", n)
    e = residual * z + experts
    gate = torch.sigmoid(plain("esuif.dapga.gate", gate_in))
    o = residual * e + ffn("esuif.dapga.views", norm("esuif.dapga.norm", e)) * gate
    torch.testing.assert_close(model(batch)["click"], ffn("heads.click", o)[:, 0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["hhsft_xs", "unimixer_lite_esuif_xs"])
@pytest.mark.parametrize("domain", [0, 1, 2])
def test_a_domain_trains_what_is_shared_and_its_own_experts_views_and_head(name: str, domain: int) -> None:
    model = create_model(name, SCHEMA).train()
    out = model(in_domain(BATCH, 2 + domain))["click"]
    torch.autograd.backward(F.binary_cross_entropy_with_logits(out, LABELS.click_S))
    stacks = {n: m for n, m in model.named_modules() if isinstance(m, DomainFFN)}
    assert set(stacks) == {"esuif.dref.experts", "esuif.dref.gate", "esuif.dapga.views", "heads.click"}
    for name_, stack in stacks.items():
        for p in stack.parameters():
            assert p.grad is not None
            assert [bool(p.grad[k].any()) for k in range(3)] == [k == domain for k in range(3)], name_
    inside = {id(p) for stack in stacks.values() for p in stack.parameters()}
    shared = [p for p in model.parameters() if id(p) not in inside]
    assert all(p.grad is not None and bool(p.grad.any()) for p in shared)


@pytest.mark.parametrize(
    ("setting", "code"), [((), 2), (("esuif.unseen=feed",), 3), (("esuif.unseen=shop",), 4)]
)
@pytest.mark.parametrize("family", ["hhsft", "unimixer_lite_esuif"])
def test_a_domain_that_training_did_not_see_is_scored_as_a_stated_one(
    family: str, setting: tuple[str, ...], code: int
) -> None:
    """As the most frequent, or as the one that is named; to the bit, embeddings of the domain included."""
    torch.manual_seed(0)
    model = create_model(f"{family}_xs", SCHEMA, setting).eval()
    stated = model(in_domain(BATCH, code))["click"]
    for unseen in (0, 1):
        assert torch.equal(model(in_domain(BATCH, unseen))["click"], stated)
    others = [c for c in (2, 3, 4) if c != code]
    assert all(not torch.allclose(model(in_domain(BATCH, c))["click"], stated, atol=1e-4) for c in others)


def test_parts_are_switched_one_by_one() -> None:
    """HHFI only, + DREF, + DAPGA, both: as the study compares them."""
    sizes = {}
    for dref in (False, True):
        for dapga in (False, True):
            settings = [f"esuif.dref={dref}", f"esuif.dapga={dapga}", "esuif.domain_heads=false"]
            model = create_model("hhsft_xs", SCHEMA, settings)
            kinds = {type(m) for m in model.modules()}
            assert (DREF in kinds, DAPGA in kinds) == (dref, dapga)
            assert isinstance(model.heads["click"], nn.Linear)
            assert (model.esuif is None) == (not dref and not dapga)
            sizes[dref, dapga] = model.parameter_counts()["total"]
            torch.autograd.backward(model(BATCH)["click"].sum())
    assert sizes[True, True] - sizes[False, True] == sizes[True, False] - sizes[False, False] > 0
    assert sizes[False, True] > sizes[False, False]


def test_the_two_widths_are_dials_of_their_own() -> None:
    def counts(*settings: str) -> dict[str, int]:
        model = create_model("hhsft_xs", SCHEMA, [*ALL_OFF, *settings])
        return {n: sum(p.numel() for p in m.parameters()) for n, m in model.named_children()}

    plain, wide_h, wide_g = counts(), counts("hfa.width=64"), counts("gfa.width=64")
    assert wide_h["hfa"] > 3.5 * plain["hfa"]
    assert wide_h["heads"] == plain["heads"]
    assert {n for n in plain if wide_g[n] != plain[n]} == {"gfa", "heads"}
    low = counts("gfa.rank=8")
    assert low["gfa"] < plain["gfa"] / 2


def test_without_a_domain_in_the_vocabulary_there_is_one_domain() -> None:
    """Each was too rare: the field says nothing, and no id may become one that its table does not have."""
    user, device, domain = SCHEMA.request.ids
    ids = (user, device, domain.model_copy(update={"cardinality": 2, "values": ()}))
    schema = SCHEMA.model_copy(update={"request": SCHEMA.request.model_copy(update={"ids": ids})})
    assert schema.domains() == Domains()
    model = create_model("hhsft_xs", schema).train()
    assert model.esuif is not None
    assert torch.equal(model.esuif.known(in_domain(BATCH, 1)).request.ids, in_domain(BATCH, 1).request.ids)
    torch.autograd.backward(model(in_domain(BATCH, 1))["click"].sum())


def test_two_numbers_are_too_few_for_experts() -> None:
    """A norm would leave but a sign of what FM says; heads of the domains have none."""
    with pytest.raises(CorankError, match="a norm, which leaves nothing of 2 numbers: they need 4"):
        create_model("fm_xs", SCHEMA, ALL_ON)
    assert isinstance(create_model("fm_xs", SCHEMA, ["esuif.domain_heads=true"]).heads["click"], DomainFFN)


@pytest.mark.parametrize("name", [name for name in list_models("*_xs") if name != "fm_xs"])
def test_esuif_is_put_on_any_backbone(name: str) -> None:
    """After whatever made the representation: it trains, routes and is counted; off, nothing is left."""
    model = create_model(name, SCHEMA, ALL_ON).train()
    scores = create_model(name, SCHEMA, [*ALL_ON, "esuif.residual=false"]).eval()(BATCH)["click"]
    assert len(scores.unique()) > 0.9 * BATCH.samples, "what a sample is comes through"
    assert model.esuif is not None
    out = model(in_domain(BATCH, 3))["click"]
    torch.autograd.backward(out.square().sum())
    assert all(p.grad is not None for p in model.esuif.parameters())
    for stack in (m for m in model.modules() if isinstance(m, DomainFFN)):
        for p in stack.parameters():
            assert p.grad is not None
            assert [bool(p.grad[k].any()) for k in range(3)] == [False, True, False]
    before = create_model(name, SCHEMA, ALL_OFF)
    assert before.esuif is None
    assert all(isinstance(head, nn.Linear) for head in before.heads.values())
    added = sum(p.numel() for part in (model.esuif, model.heads) for p in part.parameters())
    added -= sum(p.numel() for p in before.heads.parameters())
    assert model.parameter_counts()["total"] - before.parameter_counts()["total"] == added
    assert model.flop_counts()["total"].sample > before.flop_counts()["total"].sample


@pytest.mark.parametrize(
    "name",
    [
        "rankmixer",
        "rankmixer_sparse",
        "unimixer",
        "unimixer_lite",
        "unimixer_lite_factored",
        "transformer",
        "hetero_attention",
        "hiformer",
        "tokenmixer_large",
    ],
)
def test_esuif_is_the_same_on_token_backbones_of_one_width(name: str) -> None:
    model = create_model(f"{name}_xs", SCHEMA, ALL_ON)
    ours = create_model("unimixer_lite_esuif_xs", SCHEMA).esuif
    assert model.esuif is not None
    assert ours is not None
    assert {n: p.shape for n, p in model.esuif.named_parameters()} == {
        n: p.shape for n, p in ours.named_parameters()
    }


def test_unimixer_lite_esuif_is_unimixer_lite_with_the_switches_on() -> None:
    for size in ("xs", "s", "m", "l", "xl"):
        assert model_config(f"unimixer_lite_{size}", ALL_ON) == model_config(f"unimixer_lite_esuif_{size}")


def test_a_batch_of_one_domain_is_exported_too() -> None:
    """Domains without a sample are empty parts, in the graph as here."""
    model = create_model("hhsft_xs", SCHEMA).eval()
    R, S = torch.export.Dim("R", min=2), torch.export.Dim("S", min=2)
    request, sample = [{0: R}, {0: R}, [{0: R}] * 2, []], [{0: S}, {0: S}, [{0: S}], [{0: S}]]
    program = torch.export.export(model, (BATCH,), dynamic_shapes={"batch": [request, sample, {0: S}]})
    for code in (0, 2, 4):
        batch = in_domain(BATCH, code)
        torch.testing.assert_close(
            program.module()(batch)["click"], model(batch)["click"], rtol=1e-6, atol=1e-6
        )


@pytest.mark.parametrize("name", [n for n in list_models("*_xs") if n.startswith(("hhsft", "unimixer_lite"))])
def test_bfloat16_is_near(name: str) -> None:
    """Under autocast, trained and scored: three digits."""
    torch.manual_seed(0)
    model = create_model(name, SCHEMA)
    exact = model(BATCH)["click"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = model(BATCH)["click"]
    assert rough.dtype == torch.bfloat16
    assert (
        float((rough.float() - exact).abs().max().detach()) < 0.03 * float(exact.abs().max().detach()) + 0.01
    )
    torch.autograd.backward(rough.float().square().sum())
    assert all(p.grad is None or bool(torch.isfinite(p.grad).all()) for p in model.parameters())


def test_a_sample_alone_is_scored_as_in_its_batch() -> None:
    model = create_model("hhsft_xs", SCHEMA).eval()
    together = model(BATCH)["click"]
    for i in range(0, 40, 7):
        request = BATCH.request_of_S[i : i + 1]
        sample = rows(BATCH.sample, torch.tensor([i]))
        alone = Batch(rows(BATCH.request, request), sample, torch.zeros(1, dtype=torch.int64))
        torch.testing.assert_close(model(alone)["click"][0], together[i], rtol=1e-5, atol=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(CorankError, match=r"unknown domain 'feeds' in esuif\.unseen; did you mean 'feed'"):
        create_model("hhsft_xs", SCHEMA, ["esuif.unseen=feeds"])
    bare = without_fields(SCHEMA, "domain", "user")
    with pytest.raises(
        CorankError, match="its gate reads the request's fields of the groups user and domain"
    ):
        create_model("hhsft_xs", bare)
    assert create_model("hhsft_xs", bare, ["esuif.dapga=false"]).esuif is not None
    twice = SideSchema(ids=(SCHEMA.request.ids[2], SCHEMA.request.ids[2].model_copy(update={"name": "site"})))
    with pytest.raises(CorankError, match="'domain' and 'site' are both in the group domain"):
        create_model("hhsft_xs", SCHEMA.model_copy(update={"request": twice}))
    with pytest.raises(CorankError, match="unknown key 'drf' in 'esuif'; did you mean 'dref'"):
        model_config("rankmixer_xs", ["esuif.drf=true"])
    assert HHSFTConfig().esuif.any
