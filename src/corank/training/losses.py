"""Losses over the samples of a batch, each a mean."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from corank.features.batch import Batch, Labels
from corank.training.config import LossConfig


def loss(logits: dict[str, Tensor], batch: Batch, labels: Labels, config: LossConfig) -> Tensor:
    """The weighted sum of the parts, over all tasks."""
    total = torch.zeros((), device=batch.request_of_S.device)
    for task, logits_S in logits.items():
        label_S = labels.of(task)
        if config.pointwise:
            total = total + config.pointwise * pointwise(logits_S, label_S, labels.weight_S)
        if config.listwise:
            total = total + config.listwise * listwise(
                logits_S, label_S, labels.weight_S, batch.request_of_S, batch.requests
            )
    return total


def pointwise(logits_S: Tensor, label_S: Tensor, weight_S: Tensor) -> Tensor:
    """Binary cross-entropy: the weighted mean over samples."""
    each_S = F.binary_cross_entropy_with_logits(logits_S, label_S, reduction="none")
    return (weight_S * each_S).sum() / weight_S.sum().clamp_min(1e-12)


def listwise(
    logits_S: Tensor, label_S: Tensor, weight_S: Tensor, request_of_S: Tensor, requests: int
) -> Tensor:
    """Softmax cross-entropy (ListNet's top-one, Cao et al. 2007), the mean over requests with a positive.

    Several positives of a request share it: `- sum_s y_s w_s log softmax(logit)_s / sum_s y_s w_s`.
    """
    highest_R = torch.full((requests,), -torch.inf, device=logits_S.device)
    highest_R = highest_R.scatter_reduce(0, request_of_S, logits_S.detach(), "amax")
    shifted_S = logits_S - highest_R[request_of_S]
    norm_R = torch.zeros(requests, device=logits_S.device).index_add(0, request_of_S, shifted_S.exp())
    log_softmax_S = shifted_S - norm_R.clamp_min(1e-30).log()[request_of_S]
    mass_S = label_S * weight_S
    mass_R = torch.zeros(requests, device=logits_S.device).index_add(0, request_of_S, mass_S)
    share_S = mass_S / mass_R[request_of_S].clamp_min(1e-12)
    return -(share_S * log_softmax_S).sum() / (mass_R > 0).sum().clamp_min(1)
