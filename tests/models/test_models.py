"""Every registered model: forward, backward, a batch of one, export, parameters, errors."""

from __future__ import annotations

import pytest
import torch
from tests.inputs import make_batch, make_schema, rows

from corank.errors import CorankError
from corank.features.batch import Batch
from corank.models import RankingModel, create_model, list_models, model_config

SCHEMA = make_schema()
SMALL = [name for name in list_models() if name.endswith(("_xs", "_s"))]


@pytest.mark.parametrize("name", list_models())
def test_every_size_builds_and_grows(name: str) -> None:
    with torch.device("meta"):
        total = create_model(name, SCHEMA).parameter_counts()["total"]
        family = name.rpartition("_")[0]
        names = list_models(f"{family}_*")
        before = names[: names.index(name)]
        assert all(create_model(b, SCHEMA).parameter_counts()["total"] < total for b in before)


@pytest.mark.parametrize("name", SMALL)
def test_forward_and_backward(name: str) -> None:
    """One finite logit a sample and task; every parameter gets a gradient."""
    torch.manual_seed(0)
    model = create_model(name, SCHEMA, ['tasks=["click", "purchase"]'])
    batch, _ = make_batch(SCHEMA, 5, 40)
    logits = model(batch)
    assert set(logits) == {"click", "purchase"}
    assert all(x.shape == (40,) and bool(torch.isfinite(x).all()) for x in logits.values())
    extra = model.auxiliary_losses(lambda logits: torch.stack(list(logits.values())).square().sum())
    total = torch.stack([*logits.values()]).square().sum() + sum(extra.values())
    torch.autograd.backward(total)
    without = [n for n, p in model.named_parameters() if p.grad is None or not float(p.grad.abs().max())]
    assert without == []


@pytest.mark.parametrize("name", SMALL)
def test_a_score_does_not_depend_on_the_rest_of_the_batch(name: str) -> None:
    model = create_model(name, SCHEMA).eval()
    batch, _ = make_batch(SCHEMA, 4, 12)
    for i in (0, 7, 11):
        request = batch.request_of_S[i : i + 1]
        alone = Batch(
            rows(batch.request, request),
            rows(batch.sample, torch.tensor([i])),
            torch.zeros(1, dtype=torch.int64),
        )
        torch.testing.assert_close(model(alone)["click"][0], model(batch)["click"][i], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", SMALL)
def test_exported_graph_gives_the_same_scores(name: str) -> None:
    model = create_model(name, SCHEMA).eval()
    batch, _ = make_batch(SCHEMA, 5, 40)
    R, S = torch.export.Dim("R", min=2), torch.export.Dim("S", min=2)
    request = [{0: R}, {0: R}, [{0: R}] * 2, []]
    sample = [{0: S}, {0: S}, [{0: S}], [{0: S}]]
    program = torch.export.export(model, (batch,), dynamic_shapes={"batch": [request, sample, {0: S}]})
    other, _ = make_batch(SCHEMA, 3, 17, seed=1)
    torch.testing.assert_close(program.module()(other)["click"], model(other)["click"], rtol=1e-6, atol=1e-6)


def test_rankmixer_blocks_count_as_their_formula() -> None:
    """A block: two LayerNorms and T feed-forwards of D x kD with biases."""
    T, D, k = 8, 32, 2
    block = 2 * 2 * D + T * (2 * D * k * D + k * D + D)
    counts = create_model("rankmixer_xs", SCHEMA).parameter_counts()
    assert counts["mixing"] + counts["feed_forward"] == block


@pytest.mark.parametrize("name", SMALL)
def test_any_model_may_have_its_embeddings_normalised(name: str) -> None:
    """All trains; after training a score does not depend on its batch; two parameters a number of E more."""
    model = create_model(name, SCHEMA, ["embedding_norm=batch"])
    batch, _ = make_batch(SCHEMA, 5, 40)
    torch.autograd.backward(model(batch)["click"].square().sum())
    norms = [p for key, p in model.embedding.named_parameters() if "_norm." in key]
    assert [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in norms] == [True] * 4
    request = Batch(
        rows(batch.request, batch.request_of_S[7:8]),
        rows(batch.sample, torch.tensor([7])),
        torch.zeros(1, dtype=torch.int64),
    )
    model.eval()
    torch.testing.assert_close(model(request)["click"][0], model(batch)["click"][7], rtol=1e-5, atol=1e-5)
    more = 2 * (model.request_width + model.sample_width)
    counts, plain = (m.parameter_counts() for m in (model, create_model(name, SCHEMA)))
    assert counts["embedding"] == plain["embedding"] + more
    assert model.flop_counts() == create_model(name, SCHEMA).flop_counts()


@pytest.mark.parametrize("family", ["unimixer_lite", "rankmixer", "transformer", "rankmixer_sparse"])
def test_tokens_may_be_concatenated_instead_of_averaged(family: str) -> None:
    """A head whose weights are the same for every token, 1 / T of the other's, gives the same score."""
    mean = create_model(f"{family}_s", SCHEMA).eval()
    every = create_model(f"{family}_s", SCHEMA, ["pooling=concat"]).eval()
    weights = mean.state_dict()
    T, key = 8, "heads.click.weight"
    every.load_state_dict(weights | {key: weights[key].repeat(1, T) / T})
    batch, _ = make_batch(SCHEMA, 5, 40)
    torch.testing.assert_close(every(batch)["click"], mean(batch)["click"], rtol=1e-4, atol=1e-5)
    assert every.parameter_counts()["head"] == T * 64 + 1


def taus(model: RankingModel) -> list[float]:
    return [float(value) for name, value in model.named_buffers() if name.endswith("tau")]


@pytest.mark.parametrize("family", ["unimixer", "unimixer_lite", "unimixer_lite_factored"])
def test_unimixer_anneals_its_temperature_linearly(family: str) -> None:
    model = create_model(f"{family}_s", SCHEMA)
    for done, tau in [(0.0, 1.0), (0.5, 0.525), (1.0, 0.05)]:
        model.set_progress(done)
        assert taus(model) == pytest.approx([tau, tau])
    matrices = model.mixing()
    assert len(matrices) == 2
    exact = 0 if family != "unimixer_lite_factored" else 1e-6  # of a product that is not made in training
    assert all(float((w - w.T).abs().max()) <= exact for w in matrices)


def test_unimixer_warms_up_in_two_stages() -> None:
    settings = ["temperature.kind=two_stage", "temperature.warmup=0.4"]
    model = create_model("unimixer_s", SCHEMA, settings)
    found = []
    for done in (0.0, 0.39, 0.4, 1.0):
        model.set_progress(done)
        found.append(taus(model))
    assert found == [pytest.approx([tau, tau]) for tau in (1.0, 1.0, 0.05, 0.05)]


@pytest.mark.parametrize("name", SMALL)
def test_a_folded_model_gives_the_same_scores_without_sinkhorn(name: str) -> None:
    """At a sharp temperature; models without mixing are left as they are."""
    model = create_model(name, SCHEMA).eval()
    model.set_progress(1.0)
    batch, _ = make_batch(SCHEMA, 5, 40)
    before, matrices, weights = model(batch)["click"], model.mixing(), model.parameter_counts()["total"]
    assert model.fold() is model
    torch.testing.assert_close(model(batch)["click"], before, rtol=1e-6, atol=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(model.mixing(), matrices, strict=True))
    assert (model.parameter_counts()["total"] < weights) == name.startswith("unimixer")
    program = torch.export.export(model, (batch,))
    graphs = [m.graph for m in program.graph_module.modules() if isinstance(m, torch.fx.GraphModule)]
    assert [n for graph in graphs for n in graph.nodes if "corank" in str(n.target)] == []


@pytest.mark.parametrize("norm", ["siamese", "pre", "post"])
@pytest.mark.parametrize("family", ["unimixer", "unimixer_lite", "unimixer_lite_factored"])
def test_unimixers_have_three_kinds_of_residual_streams(family: str, norm: str) -> None:
    """All train; they differ in their norms alone."""
    model = create_model(f"{family}_s", SCHEMA, [f"norm={norm}", "blocks=3"])
    batch, _ = make_batch(SCHEMA, 5, 40)
    torch.autograd.backward(model(batch)["click"].pow(2).sum())
    assert all(p.grad is not None for p in model.parameters())
    norms = {"siamese": 3 * 2 + 1, "pre": 3 + 1, "post": 3}[norm]
    ours = create_model(f"{family}_s", SCHEMA, ["blocks=3"]).parameter_counts()["total"]
    assert model.parameter_counts()["total"] == ours - (7 - norms) * 64


@pytest.mark.parametrize("family", ["unimixer", "unimixer_lite", "unimixer_lite_factored", "wukong"])
def test_a_model_is_folded_for_so_long(family: str) -> None:
    """Within, the matrices are constants; afterwards all is as it was."""
    model = create_model(f"{family}_xs", SCHEMA).eval()
    batch, _ = make_batch(SCHEMA, 5, 40)
    weights, before = dict(model.named_parameters()), model(batch)["click"]
    with model.folded() as same:
        assert same is model
        torch.testing.assert_close(model(batch)["click"], before, rtol=1e-6, atol=1e-6)
        assert (len(list(model.parameters())) < len(weights)) == family.startswith("unimixer")
    after = dict(model.named_parameters())
    assert list(after) == list(weights)
    assert all(after[name] is p for name, p in weights.items())


def test_the_same_seed_makes_the_same_model() -> None:
    for name in SMALL:
        torch.manual_seed(3)
        one = create_model(name, SCHEMA)
        torch.manual_seed(3)
        two = create_model(name, SCHEMA)
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("rankmixr_s", [], "unknown model 'rankmixr_s'; did you mean 'rankmixer_s'"),
        ("rankmixer", [], "model 'rankmixer' needs a size: rankmixer_xs"),
        ("rankmixer_s", ["widht=3"], "unknown key 'widht'; did you mean 'width'"),
        ("rankmixer_s", ["width=x"], "'width' = 'x'"),
        ("unimixer_lite_s", ["mixing.rnk=2"], "unknown key 'rnk' in 'mixing'; did you mean 'rank'"),
        ("unimixer_lite_s", ["mixing.rank=0"], "greater than or equal to 1"),
        ("unimixer_s", ["norm=layer"], "'norm' = 'layer'"),
        ("unimixer_s", ["mixing.rank=4"], "unknown key 'rank' in 'mixing'"),
        ("unimixer_s", ["temperature.warmup=0.1"], "a linear temperature has no 'warmup'"),
    ],
)
def test_what_does_not_exist_is_named(name: str, settings: list[str], sentence: str) -> None:
    with pytest.raises(CorankError, match=sentence):
        model_config(name, settings)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(CorankError, match="7 heads do not divide the token width 64"):
        create_model("rankmixer_s", SCHEMA, ["tokenizer.tokens=7"])
    with pytest.raises(CorankError, match="blocks of 5 do not divide 8 tokens x 64 channels"):
        create_model("unimixer_s", SCHEMA, ["mixing.block=5"])
    with pytest.raises(CorankError, match="an even rank, found 15"):
        create_model("unimixer_lite_factored_s", SCHEMA, ["mixing.rank=15"])


@pytest.mark.parametrize(
    ("name", "setting", "sentence"),
    [
        ("fm_xs", "history.by_domain=true", r"'by_domain' is of use with history\.pools only"),
        ("fm_xs", "history={pools: [mean], heads: 2}", "'heads' is of use with the pool self only"),
        ("fm_xs", "history={pools: [self], hidden: 9}", "'hidden' is of use with the pool target only"),
        ("rankmixer_xs", "esuif.unseen=feed", r"'unseen' is of use with esuif\.dref, esuif\.dapga or"),
        ("rankmixer_xs", "esuif={dref: true, heads: 2}", r"'heads' is of use with esuif\.dapga only"),
        (
            "rankmixer_xs",
            "esuif={domain_heads: true, residual: false}",
            r"'residual' is of use with esuif\.dref",
        ),
        ("rankmixer_xs", "esuif.head_expansion=2", r"'head_expansion' is of use with esuif\.domain_heads"),
        ("tokenmixer_large_xs", "routing.experts=9", "'routing' is of use with sparse=true only"),
        *(
            (f"{name}_xs", "hidden=[8] dropout=0.1", "'dropout' is of use with two hidden layers or more")
            for name in ("dlrm_mlp", "dcnv2", "deepfm")
        ),
        ("fm_xs", "tasks=[]", r"tasks = \[\]: expected \[click\] or \[click, purchase\]"),
        ("fm_xs", "tasks=[purchase]", "validation is by clicks"),
    ],
)
def test_a_setting_that_nothing_reads_is_refused(name: str, setting: str, sentence: str) -> None:
    settings = setting.split() if setting.startswith("hidden") else [setting]
    with pytest.raises(CorankError, match=sentence):
        create_model(name, SCHEMA, settings)


@pytest.mark.parametrize("name", list_models("*_xs"))
def test_a_batch_without_samples_has_no_scores(name: str) -> None:
    model = create_model(name, SCHEMA).eval()
    batch, _ = make_batch(SCHEMA, 3, 6)
    none = torch.zeros(0, dtype=torch.int64)
    empty = Batch(batch.request, rows(batch.sample, none), none)
    assert model(empty)["click"].shape == (0,)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("rankmixer_xs", "expansion"),
        ("unimixer_lite_xs", "expansion"),
        ("transformer_xs", "expansion"),
        ("hhsft_xs", "hfa.expansion"),
        ("hhsft_xs", "gfa.expansion"),
        ("hhsft_xs", "esuif.expansion"),
    ],
)
def test_a_feed_forward_is_never_narrower_than_one(name: str, part: str) -> None:
    narrow = create_model(name, SCHEMA, [f"{part}=0.001"]).eval()
    batch, _ = make_batch(SCHEMA, 3, 6)
    assert torch.isfinite(narrow(batch)["click"]).all()
    assert all(parameter.numel() for parameter in narrow.parameters())


def test_the_state_of_mixing_tells_temperature_and_rows() -> None:
    model = create_model("unimixer_lite_xs", SCHEMA)
    model.set_progress(0.5)
    state = model.mixing_state()
    assert state["tau"] == pytest.approx(0.525)
    assert 0 <= state["row_error"] < 1e-3
    cut = create_model("unimixer_lite_xs", SCHEMA, ["mixing.iterations=1"])
    cut.set_progress(1.0)
    assert cut.mixing_state()["row_error"] > 0.01
    for name, settings in (("unimixer_xs", ["mixing.sinkhorn=false"]), ("rankmixer_xs", [])):
        assert create_model(name, SCHEMA, settings).mixing_state() == {}
    (matrix, *_), factored = model.mixing(), create_model("unimixer_lite_factored_xs", SCHEMA)
    assert state["row_error"] == pytest.approx((matrix.sum(1) - 1).abs().max().item(), abs=1e-6)
    assert factored.mixing_state()["row_error"] < 1e-3
