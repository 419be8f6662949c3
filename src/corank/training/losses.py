"""Losses over the samples of a batch, each a mean."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from corank.features.batch import Batch, Labels
from corank.training.config import LossConfig


def loss(
    logits: dict[str, Tensor],
    batch: Batch,
    labels: Labels,
    config: LossConfig,
    examined_S: Tensor | None = None,
) -> Tensor:
    """The weighted sum of the parts, over all tasks.

    Args:
        examined_S: P(examined) of each sample where positives are to be weighted by its inverse.
    """
    total = torch.zeros((), device=batch.request_of_S.device)
    for task, weight in (("click", 1.0), ("purchase", config.purchase)):
        if task not in logits:
            continue
        logits_S, label_S = logits[task], labels.of(task)
        if config.pointwise:
            term = pointwise(logits_S, label_S, labels.weight_S, examined_S, config.position.bounded)
            total = total + weight * config.pointwise * term
        if config.listwise:
            term = listwise(
                logits_S, label_S, labels.weight_S, batch.request_of_S, batch.requests, examined_S
            )
            total = total + weight * config.listwise * term
    return total


def pointwise(
    logits_S: Tensor,
    label_S: Tensor,
    weight_S: Tensor,
    examined_S: Tensor | None = None,
    bounded: bool = True,
) -> Tensor:
    """Binary cross-entropy: the weighted mean over samples.

    With P(examined) it is `- y / P log p - (1 - y) log(1 - p)`. If it need not be bounded from below the
    label is y / P, `- y / P log p - (1 - y / P) log(1 - p)`: unbiased for the relevance behind `y = examined
    and relevant` (Saito et al. 2020, arXiv 1909.03601), while the other has its second factor clipped at 0.
    """
    if examined_S is None:
        each_S = F.binary_cross_entropy_with_logits(logits_S, label_S, reduction="none")
    else:
        negative_S = 1 - label_S if bounded else 1 - label_S / examined_S
        each_S = label_S / examined_S * F.softplus(-logits_S) + negative_S * F.softplus(logits_S)
    return (weight_S * each_S).sum() / weight_S.sum().clamp_min(1e-12)


def listwise(
    logits_S: Tensor,
    label_S: Tensor,
    weight_S: Tensor,
    request_of_S: Tensor,
    requests: int,
    examined_S: Tensor | None = None,
) -> Tensor:
    """Softmax cross-entropy (ListNet's top-one, Cao et al. 2007), the mean over requests with a positive.

    Several positives of a request share it: `l_r = - sum_s y_s w_s log softmax(logit)_s / sum_s y_s w_s`, and
    the mean is weighted by the mean weight of each request's positives. With P(examined) each positive's term
    is multiplied by 1 / P (Joachims et al. 2017, arXiv 1608.04468).
    """
    logits_S = logits_S.float()
    highest_R = torch.full((requests,), -torch.inf, device=logits_S.device)
    highest_R = highest_R.scatter_reduce(0, request_of_S, logits_S.detach(), "amax")
    shifted_S = logits_S - highest_R[request_of_S]
    norm_R = torch.zeros(requests, device=logits_S.device).index_add(0, request_of_S, shifted_S.exp())
    log_softmax_S = shifted_S - norm_R.clamp_min(1e-30).log()[request_of_S]
    zeros_R = torch.zeros(requests, device=logits_S.device)
    positives_R = zeros_R.index_add(0, request_of_S, label_S)
    mass_S = label_S * weight_S
    weight_R = zeros_R.index_add(0, request_of_S, mass_S) / positives_R.clamp_min(1)
    # w_r y_s w_s / sum y w = y_s w_s / sum y: a request's weight and its share cancel.
    share_S = mass_S / positives_R[request_of_S].clamp_min(1)
    if examined_S is not None:
        share_S = share_S / examined_S
    return -(share_S * log_softmax_S).sum() / weight_R.sum().clamp_min(1e-12)
