"""Losses of the conversion, p(purchase | click), over all samples although only clicked ones show it.

ESCM2 (Wang et al. 2022, arXiv 2204.05125). o is the click, r the purchase, p the propensity: the model's own
click probability, from below bounded and without gradient. delta = cross-entropy of the conversion's logit
and r. Both estimate the mean of delta as if everything had been clicked.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def ipw_risk(delta_S: Tensor, click_S: Tensor, p_S: Tensor, weight_S: Tensor) -> Tensor:
    """Inverse propensity: the weighted mean of `o delta / p`."""
    return _mean(click_S * delta_S / p_S, weight_S)


def dr_risk(delta_S: Tensor, imputed_S: Tensor, click_S: Tensor, p_S: Tensor, weight_S: Tensor) -> Tensor:
    """Doubly robust, d imputed: the weighted mean of `d + o (delta - d) / p + o (sg(delta) - d)^2 / p`.

    The first two terms are right if either p or d is. The last teaches d, and d alone (sg: without gradient):
    taught by it, too, the conversion would make delta alike for either outcome, that is tend to 1/2.
    """
    risk_S = imputed_S + click_S * (delta_S - imputed_S) / p_S
    taught_S = click_S * (delta_S.detach() - imputed_S).square() / p_S
    return _mean(risk_S + taught_S, weight_S)


def propensity(click_logit_S: Tensor, floor: float, examined_S: Tensor | None = None) -> Tensor:
    """p: the probability of a click, at least `floor`, as a constant.

    Args:
        examined_S: P(examined) [S], where the logit is that of a click on what is examined.
    """
    p_S = torch.sigmoid(click_logit_S.detach())
    return (p_S if examined_S is None else p_S * examined_S).clamp_min(floor)


def cross_entropy(logit_S: Tensor, label_S: Tensor) -> Tensor:
    """delta of each sample."""
    return F.binary_cross_entropy_with_logits(logit_S, label_S, reduction="none")


def _mean(each_S: Tensor, weight_S: Tensor) -> Tensor:
    return (weight_S * each_S).sum() / weight_S.sum().clamp_min(1e-12)
