"""Losses of tasks, domains and positions against plain Python, and what corrections are for."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from scipy.stats import spearmanr
from tests.inputs import make_batch, make_schema
from torch import Tensor

from corank import verbs
from corank.errors import CorankError
from corank.evaluation import metrics
from corank.features.batch import Batch, Labels, Side
from corank.features.schema import IdInput, InputSchema, NumberInput, SideSchema
from corank.models import RankingModel, create_model
from corank.models.heads import product_logit
from corank.training import LossConfig, OptimizerConfig
from corank.training.config import LOWER_IS_BETTER, CurveConfig, Metric
from corank.training.conversion import dr_risk, ipw_risk
from corank.training.losses import listwise
from corank.training.objective import Objective
from corank.training.optimizer import make_optimizer, set_rate
from corank.training.position import PositionTower, propensity

SCHEMA = make_schema()
BOTH = ("tasks=[click, purchase]", "purchase=product")
IPW = {"correct": "ipw"}
RUN = ("epochs=2", "reader.batch_samples=512", "log_every=1", "optimizer.warmup_steps=5")


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def cross_entropy(p: float, y: float) -> float:
    return float(-(y * math.log(p) + (1 - y) * math.log(1 - p)))


def judged(settings: tuple[str, ...], **loss: Any) -> tuple[float, dict[str, list[float]], Labels, Batch]:
    """The loss of a small model's logits on a batch, and what it was made of."""
    torch.manual_seed(0)
    model = create_model("dlrm_mlp_xs", SCHEMA, settings).train()
    batch, labels = make_batch(SCHEMA, 5, 40)
    labels = replace(
        labels,
        purchase_S=labels.click_S * (torch.arange(40) % 2),
        weight_S=torch.rand(40) + 0.5,
        position_S=torch.arange(40) % 8,
    )
    logits = model(batch)
    value = Objective(LossConfig.parse(loss), model)(logits, batch, labels)
    return value.item(), {name: x.tolist() for name, x in logits.items()}, labels, batch


def mean(each: list[float], weights: Tensor) -> float:
    return float(sum(w * x for w, x in zip(weights.tolist(), each, strict=True)) / weights.sum())


@pytest.mark.parametrize(("a", "b"), [(0.3, -1.2), (-4.0, 2.5), (8.0, 9.0), (-60.0, 3.0), (50.0, 60.0)])
def test_the_logit_of_a_product_of_probabilities(a: float, b: float) -> None:
    """log p - log(1 - p), with 1 - p taken without cancellation."""
    p = sigma(a) * sigma(b)
    rest = (math.exp(-a) + math.exp(-b) + math.exp(-a - b)) * p
    found = product_logit(*torch.tensor([[a], [b]], dtype=torch.float64)).item()
    assert found == pytest.approx(math.log(p) - math.log(rest), rel=1e-9)


def test_esmm_learns_clicks_and_purchases_over_the_entire_space() -> None:
    """pCTCVR = pCTR pCVR against the purchase label of every sample, clicked or not."""
    value, logits, labels, _ = judged(BOTH, purchase=0.5)
    assert set(logits) == {"click", "conversion", "purchase"}
    p = [(sigma(a), sigma(a) * sigma(b)) for a, b in zip(logits["click"], logits["conversion"], strict=True)]
    clicks = [cross_entropy(q, y) for (q, _), y in zip(p, labels.click_S.tolist(), strict=True)]
    bought = [cross_entropy(q, y) for (_, q), y in zip(p, labels.purchase_S.tolist(), strict=True)]
    expected = mean(clicks, labels.weight_S) + 0.5 * mean(bought, labels.weight_S)
    assert value == pytest.approx(expected, rel=1e-5)


def risk(correct: str, logits: dict[str, list[float]], labels: Labels, p: list[float]) -> float:
    """ESCM2's risk of the conversion with these propensities of a click."""
    each = []
    rows = zip(labels.click_S.tolist(), labels.purchase_S.tolist(), p, strict=True)
    for i, (o, r, p_i) in enumerate(rows):
        delta = cross_entropy(sigma(logits["conversion"][i]), r)
        if correct == "ipw":
            each.append(o * delta / p_i)
        else:
            d = math.log1p(math.exp(logits["imputation"][i]))
            each.append(d + o * (delta - d) / p_i + o * (delta - d) ** 2 / p_i)
    return mean(each, labels.weight_S)


@pytest.mark.parametrize("correct", ["ipw", "dr"])
def test_escm2_adds_a_risk_of_the_conversion(correct: str) -> None:
    more = ("imputation=true",) if correct == "dr" else ()
    plain, *_ = judged((*BOTH, *more) if correct == "ipw" else BOTH)
    conversion = {"correct": correct, "weight": 0.7, "floor": 0.45}
    value, logits, labels, _ = judged((*BOTH, *more), conversion=conversion)
    bases = []
    for i, (o, r) in enumerate(zip(labels.click_S.tolist(), labels.purchase_S.tolist(), strict=True)):
        q = sigma(logits["click"][i]) * sigma(logits["conversion"][i])
        bases.append(cross_entropy(sigma(logits["click"][i]), o) + cross_entropy(q, r))
    p = [max(sigma(z), 0.45) for z in logits["click"]]
    expected = mean(bases, labels.weight_S) + 0.7 * risk(correct, logits, labels, p)
    assert value == pytest.approx(expected, rel=1e-5)
    assert value > plain or correct == "dr"


@pytest.mark.parametrize("correct", ["ipw", "dr"])
def test_a_click_must_have_been_examined_too(correct: str) -> None:
    """With inverse propensities of position the click score is relevance; p is that times P(examined)."""
    settings = (*BOTH, "imputation=true") if correct == "dr" else BOTH
    position = {"correct": "ipw", "decay": 1.0, "floor": 0.3}
    part = {"correct": correct, "weight": 1.0, "floor": 0.05}
    value, logits, labels, batch = judged(settings, position=position, conversion=part)
    rest = {name: torch.tensor(x) for name, x in logits.items() if name != "imputation"}
    plain = Objective(LossConfig.parse({"position": position}), create_model("dlrm_mlp_xs", SCHEMA, BOTH))
    assert labels.position_S is not None
    examined = [max(1 / max(k, 1), 0.3) for k in labels.position_S.tolist()]
    p = [max(sigma(z) * seen, 0.05) for z, seen in zip(logits["click"], examined, strict=True)]
    expected = risk(correct, logits, labels, p)
    assert value - plain(rest, batch, labels).item() == pytest.approx(expected, rel=1e-4)


def test_both_risks_are_those_of_having_clicked_everything() -> None:
    """In expectation over clicks; the doubly robust one also with a wrong propensity, if d is right."""
    g = torch.Generator().manual_seed(0)
    delta, p, weight = (torch.rand(500, generator=g).double() + 0.1 for _ in range(3))
    p = p.clamp(0.1, 0.9)
    imputed, ones = torch.rand(500, generator=g).double(), torch.ones(500).double()
    truth = (weight * delta).sum() / weight.sum()

    def expected(risk: Tensor, none: Tensor) -> Tensor:
        return (weight * (p * risk + (1 - p) * none)).sum() / weight.sum()

    def each(*args: Tensor) -> Tensor:
        """Per-sample values of a risk, from batches of one."""
        risk: Callable[..., Tensor] = dr_risk if len(args) == 4 else ipw_risk
        return torch.stack([risk(*(x[i : i + 1] for x in (*args, ones))) for i in range(500)])

    zeros = 0 * ones
    torch.testing.assert_close(expected(each(delta, ones, p), each(delta, zeros, p)), truth)
    square = (delta - imputed).square() / p  # what teaches the imputation, beside the risk
    clicked = each(delta, imputed, ones, p) - square
    torch.testing.assert_close(expected(clicked, each(delta, imputed, zeros, p)), truth)
    wrong = torch.full_like(p, 0.3)
    right = expected(each(delta, delta, ones, wrong), each(delta, delta, zeros, wrong))
    torch.testing.assert_close(right, truth)


def test_what_teaches_the_imputation_does_not_pull_at_the_conversion() -> None:
    """To the conversion both corrections have the same gradient: the imputed loss does not hold it."""
    torch.manual_seed(0)
    logit = torch.randn(50, requires_grad=True)
    bought, clicked, p = (torch.rand(50) < 0.3).float(), (torch.rand(50) < 0.5).float(), torch.rand(50) + 0.1
    delta = torch.nn.functional.binary_cross_entropy_with_logits(logit, bought, reduction="none")
    imputed, weight = torch.rand(50, requires_grad=True), torch.rand(50)
    (of_ipw,) = torch.autograd.grad(ipw_risk(delta, clicked, p, weight), logit, retain_graph=True)
    risk = dr_risk(delta, imputed, clicked, p, weight)
    of_dr, of_imputed = torch.autograd.grad(risk, (logit, imputed))
    torch.testing.assert_close(of_dr, of_ipw)
    expected = weight / weight.sum() * (1 - clicked / p - 2 * clicked * (delta - imputed) / p)
    torch.testing.assert_close(of_imputed, expected)


def test_a_domains_samples_weigh_what_is_set() -> None:
    value, logits, labels, batch = judged((), domain_weights={"feed": 0.25, "shop": 0})
    of_code = {0: 1.0, 1: 1.0, 2: 1.0, 3: 0.25, 4: 0.0}
    codes = batch.request.ids[batch.request_of_S, 2].tolist()
    weights = labels.weight_S * torch.tensor([of_code[code] for code in codes])
    each = [cross_entropy(sigma(z), y) for z, y in zip(logits["click"], labels.click_S.tolist(), strict=True)]
    assert value == pytest.approx(mean(each, weights), rel=1e-5)
    assert value != pytest.approx(judged(())[0], rel=1e-5)


def test_what_a_loss_needs_and_the_model_has_not_is_refused() -> None:
    plain, product = create_model("fm_xs", SCHEMA), create_model("fm_xs", SCHEMA, BOTH)
    cases: list[tuple[dict[str, Any], RankingModel, str]] = [
        ({"domain_weights": {"feeed": 1}}, plain, r"unknown domain 'feeed' in loss\.domain_weights; did you"),
        (
            {"domain_weights": {"search": 0, "feed": 0, "shop": 0}},
            plain,
            r"all domains \(search, feed, shop\) have weight 0",
        ),
        (
            {"conversion": {"correct": "ipw"}},
            plain,
            r"set model\.tasks=\[click, purchase\] and model\.purchase",
        ),
        ({"conversion": {"correct": "dr"}}, product, r"needs model\.imputation=true"),
        ({"purchase": 0.5}, plain, r"loss\.purchase=0\.5 needs the task purchase"),
        (
            {},
            create_model("fm_xs", SCHEMA, [*BOTH, "imputation=true"]),
            "of use with loss.conversion.correct=dr",
        ),
    ]
    for config, model, sentence in cases:
        with pytest.raises(CorankError, match=sentence):
            Objective(LossConfig.parse(config), model)
    with pytest.raises(CorankError, match="purchase=product needs the tasks click and purchase"):
        create_model("fm_xs", SCHEMA, ["purchase=product"])
    with pytest.raises(CorankError, match="imputation=true needs purchase=product"):
        create_model("fm_xs", SCHEMA, ["imputation=true"])
    for setting in ("position.examination=[1, 1.2]", "position.floor=0", "domain_weights.search=-1"):
        with pytest.raises(CorankError, match=r"less than or equal to 1|greater than"):
            LossConfig().with_settings([setting])


@pytest.mark.parametrize(
    ("settings", "needs"),
    [
        (["position.floor=0.1"], "'floor' is of use with loss.position.correct=ipw only"),
        (["position.correct=ipw", "position.positions=9"], "'positions' is of use with .*tower only"),
        (
            ["position.correct=ipw", "position.examination=[1]", "position.decay=2"],
            "'decay' is of use with no",
        ),
        (["position.correct=tower", "position.examination=[1]"], "'examination' is of use"),
        (["conversion.weight=2"], r"'weight' is of use with loss\.conversion\.correct only"),
        (["position.bounded=false"], r"'bounded' is of use with loss\.position\.correct=ipw only"),
        (["pointwise=0"], "leave nothing to learn from"),
        (["pointwise=0", "listwise=1", "conversion.correct=dr"], "which only `pointwise` above 0 makes it"),
    ],
)
def test_a_setting_of_the_loss_that_nothing_reads_is_refused(settings: list[str], needs: str) -> None:
    with pytest.raises(CorankError, match=needs):
        LossConfig().with_settings(settings)


@pytest.mark.parametrize("correct", ["none", "ipw", "dr"])
def test_conversions_are_told_apart_by_domain(correct: str) -> None:
    """ESMM and ESCM2 with heads of the domains: each learns from its own domain's samples alone."""
    torch.manual_seed(0)
    dr = correct == "dr"
    model = create_model("hhsft_xs", SCHEMA, [*BOTH, f"imputation={str(dr).lower()}"]).train()
    batch, labels = make_batch(SCHEMA, 12, 60)
    labels = replace(labels, click_S=torch.ones(60), purchase_S=(torch.arange(60) % 3 == 0).float())
    objective = Objective(LossConfig.parse({"conversion": {"correct": correct}}), model)
    together = gradients(model, objective(model(batch), batch, labels))
    assert set(model.heads) == {"click", "conversion"} | ({"imputation"} if dr else set())
    only = replace(labels, weight_S=labels.weight_S * (batch.request.ids[batch.request_of_S, 2] == 3))
    alone = gradients(model, objective(model(batch), batch, only))
    for name in ("heads.click.up.weight", "heads.conversion.up.weight"):
        assert [bool(together[name][k].any()) for k in range(3)] == [True, True, True]
        assert [bool(alone[name][k].any()) for k in range(3)] == [False, True, False]


def gradients(model: RankingModel, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    torch.autograd.backward(loss)
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_propensities_are_those_given_or_fall_with_position() -> None:
    position = torch.tensor([0, 1, 2, 3, 9, 400])
    listed, by_decay = CurveConfig(examination=(1, 0.5, 0.25)), CurveConfig(decay=0.5)
    expected = [[1, 1, 0.5, 0.3, 0.3, 0.3], [1, 1, 2**-0.5, 3**-0.5, 1 / 3, 0.3]]
    for domain in (0, 1):
        found = propensity(position, torch.full_like(position, domain), (listed, by_decay), floor=0.3)
        assert found.tolist() == pytest.approx(expected[domain])


def test_each_domain_has_its_curve_and_an_unseen_one_that_of_the_domain_it_is_taken_for() -> None:
    """Domain by domain the loss is that of its samples with its own curve; code 0 is unseen."""
    torch.manual_seed(0)
    model = create_model("dlrm_mlp_xs", SCHEMA, ["esuif.domain_heads=true", "esuif.unseen=feed"])
    batch, labels = make_batch(SCHEMA, 5, 40)
    labels = replace(labels, position_S=torch.arange(40) % 8)
    config = LossConfig().with_settings(
        ["position.correct=ipw", "position.decay=0.2", "position.domains.feed.decay=0.7"]
    )
    for code, decay in ((2, 0.2), (3, 0.7), (4, 0.2), (0, 0.7)):
        ids = batch.request.ids.clone()
        ids[:, 2] = code
        alone = replace(batch, request=replace(batch.request, ids=ids))
        logits = model(alone)
        plain = LossConfig.parse({"position": IPW | {"decay": decay}})
        found = Objective(config, model)(logits, alone, labels)
        assert found.item() == pytest.approx(Objective(plain, model)(logits, alone, labels).item())
    with pytest.raises(CorankError, match=r"unknown domain 'fed' in loss\.position\.domains; did you mean"):
        Objective(LossConfig.parse({"position": IPW | {"domains": {"fed": {}}}}), model)


def test_clicks_weigh_by_the_inverse_of_being_examined() -> None:
    """Pointwise: the label y / P, whose mean is the relevance. Listwise: each positive's term over P."""
    position = {"correct": "ipw", "decay": 1.0, "floor": 0.2, "bounded": False}
    value, logits, labels, _ = judged((), position=position)
    assert labels.position_S is not None
    p = [max(1 / max(k, 1), 0.2) for k in labels.position_S.tolist()]
    each = [
        math.log1p(math.exp(z)) - y / q * z
        for z, y, q in zip(logits["click"], labels.click_S.tolist(), p, strict=True)
    ]
    assert value == pytest.approx(mean(each, labels.weight_S), rel=1e-5)

    z, y, of = torch.randn(4), torch.tensor([0.0, 1, 1, 0]), torch.tensor([0, 0, 1, 1])
    soft = [math.exp(a) / (math.exp(a) + math.exp(b)) for a, b in [(z[1], z[0]), (z[2], z[3])]]
    expected = -(math.log(soft[0]) / 0.5 + math.log(soft[1]) / 0.25) / 2
    found = listwise(z, y, torch.ones(4), of, 2, torch.tensor([1, 0.5, 0.25, 0.1]))
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_the_tower_biases_lower_positions_of_each_domain() -> None:
    tower = PositionTower(("click",), domains=2, positions=4)
    with torch.no_grad():
        tower.bias.copy_(torch.tensor([[[-1.0, -2, -3], [-4, -5, -6]]]))
    position, domain = torch.tensor([0, 1, 2, 4, 90, 2, 3]), torch.tensor([0, 0, 0, 0, 0, 1, 1])
    logits = {"click": torch.ones(7), "conversion": torch.ones(7)}
    biased = tower(logits, position, domain)
    assert biased["click"].tolist() == [1, 1, 0, -2, -2, -3, -4]
    assert torch.equal(biased["conversion"], logits["conversion"])


def in_order(ranked: Tensor, clicks: Tensor) -> tuple[Batch, Labels]:
    """One number field of relevance, one of what the old ranker preferred, in the order of the latter."""
    requests, length = ranked.shape[:2]
    empty = Side(torch.zeros(requests, 1, dtype=torch.int64), torch.zeros(requests, 0), [], [])
    sample = Side(torch.zeros(requests * length, 0, dtype=torch.int64), ranked.reshape(-1, 2), [], [])
    of = torch.arange(requests).repeat_interleave(length)
    flat = clicks.flatten()
    position = torch.arange(1, length + 1).repeat(requests)
    return Batch(empty, sample, of), Labels(flat, flat, torch.ones_like(flat), position)


def test_every_task_is_corrected_and_weighed_in_both_kinds_of_loss() -> None:
    """Inverse propensities are for purchases too, and `loss.purchase` for the list-wise term."""
    position = {"correct": "ipw", "decay": 1.0, "floor": 0.2}
    tasks = ("tasks=[click, purchase]",)
    value, logits, labels, batch = judged(tasks, pointwise=0.5, listwise=2.0, purchase=0.3, position=position)
    assert labels.position_S is not None
    p = torch.tensor([max(1 / max(k, 1), 0.2) for k in labels.position_S.tolist()])
    of, w = batch.request_of_S, labels.weight_S
    expected = 0.0
    for task, weight in (("click", 1.0), ("purchase", 0.3)):
        z, y = torch.tensor(logits[task]), labels.of(task)
        each = [
            b / q * math.log1p(math.exp(-a)) + (1 - b) * math.log1p(math.exp(a))
            for a, b, q in zip(z.tolist(), y.tolist(), p.tolist(), strict=True)
        ]
        expected += weight * 0.5 * mean(each, w) + weight * 2.0 * listwise(z, y, w, of, 5, p).item()
    assert value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("product", "correct"), [(False, "none"), (True, "none"), (True, "ipw"), (True, "dr")]
)
def test_a_tower_biases_all_that_depends_on_the_place(product: bool, correct: str) -> None:
    """Click; purchase by a head of its own, or, as the product, by the click; and ESCM2's propensity."""
    torch.manual_seed(0)
    dr = correct == "dr"
    settings = (*BOTH, *(["imputation=true"] if dr else [])) if product else ("tasks=[click, purchase]",)
    model = create_model("dlrm_mlp_xs", SCHEMA, settings).train()
    batch, labels = make_batch(SCHEMA, 5, 40)
    labels = replace(labels, purchase_S=labels.click_S, position_S=torch.arange(40) % 8)
    parts = {} if correct == "none" else {"conversion": {"correct": correct, "floor": 0.01}}
    objective = Objective(LossConfig.parse({"position": {"correct": "tower"}} | parts), model)
    assert objective.tower is not None
    assert objective.tower.names == (("click",) if product else ("click", "purchase"))
    with torch.no_grad():
        objective.tower.bias.normal_()
    logits = {name: z.detach() for name, z in model(batch).items()}
    assert labels.position_S is not None
    domain_S = (batch.request.ids[batch.request_of_S, 2] - 2).clamp_min(0)
    z = {name: x.clone() for name, x in logits.items()}
    for i, (k, domain) in enumerate(zip(labels.position_S.tolist(), domain_S.tolist(), strict=True)):
        for number, name in enumerate(objective.tower.names):
            z[name][i] += objective.tower.bias[number, domain, k - 2].item() if k > 1 else 0
    if product:
        z["purchase"] = product_logit(z["click"], z["conversion"])
    expected = sum(
        mean(
            [cross_entropy(sigma(a), y) for a, y in zip(z[t].tolist(), labels.of(t).tolist(), strict=True)],
            labels.weight_S,
        )
        for t in ("click", "purchase")
    )
    if correct != "none":
        p = [max(sigma(a), 0.01) for a in z["click"].tolist()]
        expected += risk(correct, {name: x.tolist() for name, x in z.items()}, labels, p)
    assert objective(logits, batch, labels).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("correct", ["ipw", "dr"])
def test_a_conversions_risk_does_not_teach_the_click(correct: str) -> None:
    """p has no gradient: else a click would be made likelier to make its loss smaller."""
    dr = correct == "dr"
    model = create_model("dlrm_mlp_xs", SCHEMA, [*BOTH, f"imputation={str(dr).lower()}"]).train()
    batch, labels = make_batch(SCHEMA, 5, 40)
    labels = replace(labels, click_S=torch.ones(40))
    logits = {name: z.detach().requires_grad_() for name, z in model(batch).items()}
    with_risk = Objective(LossConfig.parse({"conversion": {"correct": correct, "floor": 0.01}}), model)
    without = Objective(LossConfig(), create_model("dlrm_mlp_xs", SCHEMA, BOTH))
    rest = {name: z for name, z in logits.items() if name != "imputation"}
    found, plain = (
        torch.autograd.grad(objective(given, batch, labels), logits["click"])[0]
        for objective, given in ((with_risk, logits), (without, rest))
    )
    torch.testing.assert_close(found, plain)


def test_the_imputation_is_of_training_alone() -> None:
    model = create_model("dlrm_mlp_xs", SCHEMA, [*BOTH, "imputation=true"])
    batch, _ = make_batch(SCHEMA, 5, 40)
    assert set(model.train()(batch)) == {"click", "conversion", "purchase", "imputation"}
    assert set(model.eval()(batch)) == {"click", "conversion", "purchase"}


@pytest.mark.parametrize("correct", ["ipw", "tower"])
def test_a_label_from_elsewhere_does_not_turn_the_bias_around(correct: str) -> None:
    """Two items of one relevance, one mostly shown at the top, one mostly below, where a fifth is examined;
    some of what is clicked nowhere is labelled from elsewhere. In a full table of counts both score alike."""
    seen, relevant, elsewhere = {1: 1.0, 2: 0.2}, 0.10, 0.03
    parts = []
    for item, top in ((0, 0.8), (1, 0.2)):
        for place, share in ((1, top), (2, 1 - top)):
            clicked = relevant * seen[place]
            added = (1 - clicked) * elsewhere
            for label, attributed, part in ((1, 0, clicked), (1, 1, added), (0, 0, 1 - clicked - added)):
                parts.append((item, place, label, attributed, share * part))
    columns = torch.tensor(parts, dtype=torch.float64).T
    item_S, place_S, label_S, attributed_S = columns[:4].long()
    label_S, weight_S = label_S.float(), columns[4].float()
    schema = InputSchema(
        request=SideSchema(ids=(IdInput(name="user", group="user", table="user", cardinality=2),)),
        sample=SideSchema(ids=(IdInput(name="item", group="item", table="item", cardinality=4),)),
    )
    n = len(parts)
    empty = Side(torch.zeros(n, 1, dtype=torch.int64), torch.zeros(n, 0), [], [])
    batch = Batch(empty, Side(item_S.unsqueeze(1) + 2, torch.zeros(n, 0), [], []), torch.arange(n))
    labels = Labels(label_S, label_S, weight_S, place_S, attributed_S.bool())
    model = create_model("dlrm_mlp_xs", schema)
    position = {"correct": correct} | ({"examination": [1, 0.2]} if correct == "ipw" else {})
    objective = Objective(LossConfig.parse({"position": position}), model)
    z = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([z, *objective.parameters()], lr=0.05)
    for _ in range(800):
        optimizer.zero_grad()
        torch.autograd.backward(objective({"click": z[item_S]}, batch, labels))
        optimizer.step()
    first, second = torch.sigmoid(z.detach()).tolist()
    assert second == pytest.approx(first, rel=0.05)


@pytest.mark.parametrize("listwise_loss", [False, True])
def test_corrections_recover_the_order_that_position_hid(listwise_loss: bool) -> None:
    """Clicks = examined and relevant. The old ranker liked x_1, which has nothing to do with relevance."""
    g = torch.Generator().manual_seed(0)
    x = torch.rand(700, 8, 2, generator=g)
    x = x.gather(1, x[..., 1].argsort(1, descending=True).unsqueeze(2).expand_as(x))
    relevant = 0.05 + 0.6 * x[..., 0] ** 2
    seen = 1 / torch.arange(1, 9).float()
    clicks = (torch.rand(700, 8, generator=g) < relevant * seen).float()
    batch, labels = in_order(x, clicks)
    schema = InputSchema(
        request=SideSchema(ids=(IdInput(name="user", group="user", table="user", cardinality=2),)),
        sample=SideSchema(
            numbers=(NumberInput(name="x_0", group="item"), NumberInput(name="x_1", group="item"))
        ),
    )
    fresh = torch.rand(2000, 1, 2, generator=g)
    asked, _ = in_order(fresh, torch.zeros(2000, 1))
    found = {}
    for correct in ("none", "ipw", "tower"):
        torch.manual_seed(0)
        model = create_model("dlrm_mlp_xs", schema)
        parts = {"pointwise": 0, "listwise": 1} if listwise_loss else {}
        position = {"correct": correct} | ({"lr": 0.05} if correct == "tower" else {})
        config = LossConfig.parse({"position": position} | parts)
        objective = Objective(config, model)
        rate = OptimizerConfig(lr=0.003, warmup_steps=0, decay="constant")
        optimizer = make_optimizer(model, rate, list(objective.parameters()), config.position.lr)
        for step in range(80):
            set_rate(optimizer, rate, step, 80)
            optimizer.zero_grad()
            torch.autograd.backward(objective(model(batch), batch, labels))
            optimizer.step()
        score = model.eval()(asked)["click"].detach()
        truth = fresh[:, 0, 0]
        found[correct] = float(spearmanr(score, truth).statistic)
        if correct == "tower":
            (bias,) = (p.detach()[0, 0] for p in objective.parameters())
            assert float(bias[6]) < -0.7  # position 8, where an eighth is examined
            assert float(bias[6]) < float(bias[0]) < 0  # position 2
            assert not bias[7:].any()
    assert found["ipw"] > found["none"] + 0.1
    assert found["tower"] > found["none"] + 0.1
    assert min(found["ipw"], found["tower"]) > 0.85


def test_a_score_does_not_depend_on_position(market_samples: Path, tmp_path: Path) -> None:
    """Trained with positions in the loss; scored on the same samples with others, or none."""
    run = tmp_path / "run"
    settings = [*RUN, "loss.position.correct=tower", "loss.position.lr=0.1"]
    verbs.train(market_samples, run, "dlrm_mlp_xs", settings=settings)
    assert bool(load_file(run / "objective.safetensors")["tower.bias"].any())
    assert "tower" not in " ".join(load_file(run / "model.safetensors"))
    first = pq.read_table(verbs.predict(run, market_samples, tmp_path / "first.parquet"))
    other = tmp_path / "other"
    other.mkdir()
    for path in market_samples.rglob("*"):
        if path.is_file():
            (other / path.relative_to(market_samples)).parent.mkdir(parents=True, exist_ok=True)
            (other / path.relative_to(market_samples)).write_bytes(path.read_bytes())
    for path in (other / "test").glob("*.parquet"):
        file = pq.ParquetFile(path)
        groups = [file.read_row_group(i) for i in range(file.num_row_groups)]
        at = groups[0].schema.get_field_index("position")
        with pq.ParquetWriter(path, groups[0].schema) as writer:
            for group in groups:
                mixed = [
                    [None if p is None else 99 - p for p in row] for row in group["position"].to_pylist()
                ]
                writer.write_table(
                    group.set_column(at, "position", pa.array(mixed, group.schema.field(at).type))
                )
    second = pq.read_table(verbs.predict(run, other, tmp_path / "second.parquet"))
    assert first["score"].equals(second["score"])
    assert not first["position"].equals(second["position"])


def test_purchases_are_predicted_as_products(market_samples: Path, tmp_path: Path) -> None:
    """End to end: ESCM2-DR trains, `score_purchase` never exceeds `score`."""
    settings = [*RUN, *(f"model.{s}" for s in BOTH), "model.imputation=true", "loss.conversion.correct=dr"]
    verbs.train(market_samples, tmp_path / "run", "dlrm_mlp_xs", settings=settings)
    table = pq.read_table(verbs.predict(tmp_path / "run", market_samples, tmp_path / "p.parquet"))
    assert all(
        b <= a for a, b in zip(*(table[c].to_pylist() for c in ("score", "score_purchase")), strict=True)
    )
    assert "score_conversion" not in table.column_names


def test_training_knows_which_metrics_are_better_when_lower() -> None:
    assert {name for name in get_args(Metric) if name in metrics.LOWER_IS_BETTER} == LOWER_IS_BETTER


@pytest.mark.parametrize("metric", ["logloss", "ctcvr_logloss", "ctcvr_auc"])
def test_the_weights_that_count_are_the_best(metric: str, market_samples: Path, tmp_path: Path) -> None:
    settings = [*RUN, *(f"model.{s}" for s in BOTH), f"metric={metric}", "evaluations_per_epoch=3"]
    info = verbs.train(market_samples, tmp_path / "run", "dlrm_mlp_xs", settings=[*settings, "patience=9"])
    lines = [json.loads(line) for line in (tmp_path / "run" / "steps.jsonl").read_text().splitlines()]
    values = {line["step"]: line[metric] for line in lines if line["kind"] == "valid"}
    best = min if "logloss" in metric else max
    assert info.best_step == best(values, key=lambda step: values[step])
    assert len(values) == 6
    assert values[max(values)] < values[min(values)] or metric == "ctcvr_auc", "it does learn"


def test_training_may_watch_purchases(market_samples: Path, tmp_path: Path) -> None:
    """What it kept by is what evaluation finds on the validation split, of the same rows."""
    settings = [*RUN, *(f"model.{s}" for s in BOTH), "metric=ctcvr_gauc"]
    info = verbs.train(market_samples, tmp_path / "run", "dlrm_mlp_xs", settings=settings)
    assert info.best_metric is not None
    assert info.best_metric.name == "ctcvr_gauc"
    found = verbs.evaluate(tmp_path / "run", split="valid", resamples=2).metrics["exposed"]["all"]
    assert found["ctcvr_gauc"].value == pytest.approx(info.best_metric.value, abs=1e-6)
    lines = [json.loads(line) for line in (tmp_path / "run" / "steps.jsonl").read_text().splitlines()]
    watched = [line for line in lines if line["kind"] == "valid"]
    assert all({"gauc", "ctcvr_gauc", "ctcvr_auc", "ctcvr_logloss"} <= set(line) for line in watched)
    with pytest.raises(CorankError, match=r"metric=ctcvr_auc needs the task purchase; set model\.tasks"):
        verbs.train(market_samples, tmp_path / "other", "dlrm_mlp_xs", settings=["metric=ctcvr_auc"])
    assert not (tmp_path / "other").exists()
