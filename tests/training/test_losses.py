"""Losses against plain Python, and the rate schedule's shape."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from tests.inputs import make_batch, make_schema

from corank.features.batch import Labels
from corank.training.config import LossConfig, OptimizerConfig
from corank.training.losses import listwise, loss, pointwise
from corank.training.optimizer import rate_factor

LOGITS = torch.tensor([0.5, -1.0, 2.0, 0.0, 30.0, -3.0])
LABELS = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
WEIGHTS = torch.tensor([1.0, 2.0, 0.5, 1.0, 1.0, 1.0])
OF = torch.tensor([0, 0, 0, 1, 1, 2])


def test_pointwise_is_the_weighted_cross_entropy() -> None:
    p = [1 / (1 + math.exp(-x)) for x in LOGITS.tolist()]
    terms = [
        w * (-math.log(q) if y else x + math.log1p(math.exp(-x)))
        for w, q, y, x in zip(WEIGHTS.tolist(), p, LABELS.tolist(), LOGITS.tolist(), strict=True)
    ]
    expected = sum(terms) / float(WEIGHTS.sum())
    assert float(pointwise(LOGITS, LABELS, WEIGHTS)) == pytest.approx(expected, rel=1e-6)


def test_listwise_shares_the_mass_of_a_request_among_its_positives() -> None:
    """Only request 0 has positives: weights 1 and 0.5, so shares 2/3 and 1/3."""
    norm = math.log(sum(math.exp(x) for x in LOGITS[:3].tolist()))
    expected = -(2 / 3 * (0.5 - norm) + 1 / 3 * (2.0 - norm))
    logits = LOGITS.clone().requires_grad_()
    value = listwise(logits, LABELS, WEIGHTS, OF, requests=3)
    assert value.item() == pytest.approx(expected, rel=1e-6)
    torch.autograd.backward(value)
    assert logits.grad is not None
    shares = torch.tensor([2 / 3, 0, 1 / 3])
    torch.testing.assert_close(logits.grad[:3], torch.softmax(LOGITS[:3], 0) - shares, rtol=1e-5, atol=1e-6)
    assert not logits.grad[3:].any()


def test_a_request_weighs_as_its_positives_do() -> None:
    """Weights of a domain, say: one factor for all of a request's samples."""
    torch.manual_seed(0)
    logits, labels = torch.randn(7), torch.tensor([1.0, 0, 1, 0, 1, 0, 0])
    of, weights = torch.tensor([0, 0, 0, 1, 1, 2, 2]), torch.tensor([0.25, 1, 0.75, 3, 3, 9, 9])
    terms = [-torch.log_softmax(logits[of == r], 0) for r in (0, 1)]
    first = 0.25 * terms[0][0] + 0.75 * terms[0][2]  # their mean weight is .5, which the shares are of
    expected = (0.5 * first + 3 * terms[1][1]) / 3.5
    torch.testing.assert_close(listwise(logits, labels, weights, of, 3), expected)
    alike = listwise(logits, labels, torch.full((7,), 0.3), of, 3)
    torch.testing.assert_close(alike, listwise(logits, labels, torch.ones(7), of, 3))
    half = listwise(logits.bfloat16(), labels, weights, of, 3)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(expected.item(), rel=0.02)


@pytest.mark.parametrize("bounded", [True, False])
def test_positives_weigh_by_the_inverse_of_being_examined(bounded: bool) -> None:
    """Bounded, no logit makes it less than 0; with labels y / P a clicked sample pays without end."""
    examined = torch.tensor([0.5, 0.25, 0.2, 1.0, 1.0, 0.1])
    expected = 0.0
    for x, y, w, p in zip(*(part.tolist() for part in (LOGITS, LABELS, WEIGHTS, examined)), strict=True):
        negative = 1 - y if bounded else 1 - y / p
        expected += w * (y / p * math.log1p(math.exp(-x)) + negative * math.log1p(math.exp(x)))
    found = pointwise(LOGITS, LABELS, WEIGHTS, examined, bounded)
    assert float(found) == pytest.approx(expected / float(WEIGHTS.sum()), rel=1e-6)
    far = torch.where(LABELS > 0, 500.0, -500.0)
    assert (float(pointwise(far, LABELS, WEIGHTS, examined, bounded)) >= 0) == bounded
    one = torch.ones(6)
    torch.testing.assert_close(
        pointwise(LOGITS, LABELS, WEIGHTS, one, bounded), pointwise(LOGITS, LABELS, WEIGHTS)
    )


def test_a_batch_without_positives_has_no_listwise_loss() -> None:
    assert float(listwise(LOGITS, torch.zeros(6), WEIGHTS, OF, requests=3)) == 0


def test_parts_and_tasks_add_up() -> None:
    batch, labels = make_batch(make_schema(), 3, 6)
    logits = {"click": torch.randn(6), "purchase": torch.randn(6)}
    labels = Labels(labels.click_S, labels.purchase_S, labels.weight_S)
    parts = [
        loss(logits, batch, labels, LossConfig(pointwise=a, listwise=b)) for a, b in [(1, 0), (0, 1), (2, 3)]
    ]
    torch.testing.assert_close(parts[2], 2 * parts[0] + 3 * parts[1])


@pytest.mark.parametrize("decay", ["constant", "linear", "cosine"])
def test_the_rate_rises_then_decays(decay: str) -> None:
    config = OptimizerConfig.parse({"warmup_steps": 10, "decay": decay})
    factors = [rate_factor(config, step, 100) for step in range(105)]
    assert factors[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert all(a >= b for a, b in pairwise(factors[10:]))
    assert factors[-1] == (1 if decay == "constant" else pytest.approx(0, abs=1e-9))
