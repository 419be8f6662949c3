"""AdamW over two kinds of parameters, and the rate of each step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn import Parameter

from corank.models.base import RankingModel
from corank.training.config import OptimizerConfig


def make_optimizer(
    model: RankingModel,
    config: OptimizerConfig,
    of_loss: Sequence[Parameter] = (),
    of_loss_lr: float | None = None,
) -> torch.optim.AdamW:
    """Fused AdamW: the embedding tables have their own rate; only matrices decay.

    Args:
        of_loss: parameters of the objective, and their rate (default: `lr`); they do not decay.
    """
    tables, matrices, others = [], [], []
    for name, parameter in model.named_parameters():
        if name.startswith("embedding.tables."):
            tables.append(parameter)
        elif parameter.ndim >= 2 and not name.endswith("bias"):
            matrices.append(parameter)
        else:
            others.append(parameter)
    groups = [
        {
            "params": tables,
            "base_lr": config.embedding_lr or config.lr,
            "weight_decay": config.embedding_decay,
        },
        {"params": matrices, "base_lr": config.lr, "weight_decay": config.weight_decay},
        {"params": others, "base_lr": config.lr, "weight_decay": 0.0},
        {"params": list(of_loss), "base_lr": of_loss_lr or config.lr, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=config.lr, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, config: OptimizerConfig, step: int, total: int) -> float:
    """Set every group's rate for a step (0-based) of `total`; returns the dense parameters' rate."""
    factor = rate_factor(config, step, total)
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor
    return config.lr * factor


def rate_factor(config: OptimizerConfig, step: int, total: int) -> float:
    """The share of the base rate at a step: a linear rise, then the decay towards 0 at the last step.

    >>> c = OptimizerConfig(warmup_steps=2, decay="linear")
    >>> [rate_factor(c, step, 6) for step in range(6)]
    [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]
    """
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    done = min((step - config.warmup_steps) / max(total - config.warmup_steps, 1), 1.0)
    if config.decay == "constant":
        return 1.0
    return 1.0 - done if config.decay == "linear" else (1.0 + math.cos(math.pi * done)) / 2
