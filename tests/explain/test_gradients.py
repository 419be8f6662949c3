"""Contributions to a score: sums that must hold, models worked out by hand, and another's implementation."""

from __future__ import annotations

import pytest
import torch
from tests.inputs import make_batch, make_schema
from torch import Tensor

from corank.explain.baselines import missing_E
from corank.explain.gradients import ablation, integrated_gradients
from corank.explain.scores import scoring
from corank.features.batch import Batch, Side
from corank.features.schema import SideSchema
from corank.models import create_model, list_models

SCHEMA = make_schema()


def test_a_product_is_shared_by_its_factors() -> None:
    """F = x y + 3 z from 0 to (2, 5, 1): half of 10 each and 3; each factor alone takes all of the 10."""

    def score(e: Tensor) -> Tensor:
        return e[:, 0] * e[:, 1] + 3 * e[:, 2]

    x = torch.tensor([[2.0, 5.0, 1.0]])
    found = integrated_gradients(score, x, torch.zeros(3))
    assert found.of_SE.tolist() == [pytest.approx([5, 5, 3])]
    assert (found.points, float(found.change_S)) == (32, 13)
    without = ablation(score, x, torch.zeros(3), torch.eye(3, dtype=torch.bool))
    assert without.flatten().tolist() == pytest.approx([10, 10, 3])


def test_a_linear_score_gives_weight_times_way() -> None:
    w, x, base = torch.randn(7), torch.randn(4, 7), torch.randn(7)
    found = integrated_gradients(lambda e: e @ w, x, base)
    torch.testing.assert_close(found.of_SE, (w * (x - base)).double(), rtol=1e-4, atol=1e-5)


def test_a_steep_score_takes_more_points() -> None:
    """A step that 32 points cannot see; the gap that is left is told."""
    found = integrated_gradients(
        lambda e: torch.sigmoid(400 * (e[:, 0] - 0.333)), torch.ones(1, 1), torch.zeros(1)
    )
    assert found.points > 32
    assert float(found.gap_S.abs()) < 1e-4
    jump = integrated_gradients(lambda e: (e[:, 0] > 0.5) + 0 * e[:, 0], torch.ones(1, 1), torch.zeros(1))
    assert (jump.points, float(jump.gap_S)) == (1024, 1)


@pytest.mark.parametrize("name", list_models("*_xs"))
def test_contributions_sum_to_the_score_less_the_baselines(name: str) -> None:
    """Completeness to a thousandth, for every model, with weights far from their beginning."""
    torch.manual_seed(0)
    model = create_model(name, SCHEMA).eval()
    with torch.no_grad():
        for parameter in model.embedding.parameters():
            parameter.mul_(3)
    model.set_progress(0.8)
    batch, _ = make_batch(SCHEMA, 1, 6)
    with model.folded():
        with torch.no_grad():
            request, sample = model.embedding(batch)
            logits = model(batch)["click"]
        x = torch.cat([request[batch.request_of_S], sample], 1)
        score = scoring(model, "click", batch)
        torch.testing.assert_close(score(x), logits, rtol=1e-5, atol=1e-5)
        base = missing_E(model)
        found = integrated_gradients(score, x, base)
        with torch.no_grad():
            change = logits - score(base.unsqueeze(0))
    torch.testing.assert_close(found.of_SE.sum(1), change.double(), rtol=0, atol=1e-3)
    torch.testing.assert_close(found.gap_S, change.double() - found.of_SE.sum(1), rtol=0, atol=1e-5)


def test_it_is_what_captum_gives() -> None:
    captum = pytest.importorskip("captum.attr", reason="Captum is not installed")
    model = create_model("unimixer_xs", SCHEMA).eval()
    batch, _ = make_batch(SCHEMA, 2, 6)
    with torch.no_grad():
        request, sample = model.embedding(batch)
    x, base = torch.cat([request[batch.request_of_S], sample], 1), missing_E(model)
    with model.folded():
        score = scoring(model, "click", batch)
        theirs = captum.IntegratedGradients(score).attribute(
            x, base.expand_as(x), n_steps=64, method="gausslegendre"
        )
        ours = integrated_gradients(score, x, base).of_SE
    torch.testing.assert_close(ours, theirs.double(), rtol=1e-3, atol=1e-5)


def nothing(side: Side, schema: SideSchema, group: str) -> Side:
    """The side with a group's inputs missing, as the reader writes what is missing."""
    ids, numbers = side.ids.clone(), side.numbers.clone()
    for i, one in enumerate(schema.ids):
        ids[:, i] = 0 if one.group == group else ids[:, i]
    for i, number in enumerate(schema.numbers):
        numbers[:, i] = torch.nan if number.group == group else numbers[:, i]
    pairs = zip(side.sequences, schema.sequences, strict=True)
    sequences = [torch.zeros_like(x) if one.group == group else x for x, one in pairs]
    given = zip(side.embeddings, schema.embeddings, strict=True)
    embeddings = [torch.full_like(x, torch.nan) if one.group == group else x for x, one in given]
    return Side(ids, numbers, sequences, embeddings)


@pytest.mark.parametrize("name", ["dcnv2_xs", "unimixer_lite_xs", "wukong_xs"])
def test_ablation_is_the_score_without_the_inputs(name: str) -> None:
    """Scored anew from batches in which the inputs of one group are missing."""
    model = create_model(name, SCHEMA).eval()
    batch, _ = make_batch(SCHEMA, 2, 6)
    slots = [*model.embedding.request_slots, *model.embedding.sample_slots]
    groups = list(dict.fromkeys(slot.group for slot in slots))
    owner = [slot.group for slot in slots for _ in range(slot.width)]
    parts = torch.tensor([[name == group for name in owner] for group in groups])
    with torch.no_grad():
        request, sample = model.embedding(batch)
        x = torch.cat([request[batch.request_of_S], sample], 1)
        found = ablation(scoring(model, "click", batch), x, missing_E(model), parts)
        full = model(batch)["click"]
        for group, row in zip(groups, found, strict=True):
            spoilt = Batch(
                nothing(batch.request, SCHEMA.request, group),
                nothing(batch.sample, SCHEMA.sample, group),
                batch.request_of_S,
            )
            expected = full - model(spoilt)["click"]
            torch.testing.assert_close(row, expected.double(), rtol=1e-4, atol=1e-5)
