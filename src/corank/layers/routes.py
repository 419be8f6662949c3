"""Samples by domain: sorted once a batch, so that what belongs to a domain runs on its own samples alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Routes:
    """Where the samples of a batch lie once they are sorted by domain.

    Sorting once costs two gathers and one wait for a GPU a batch. Computing every domain's network for every
    sample and masking needs neither, but K times the products (`results/bench_routing.csv`).

    Attributes:
        order_S: the sorted samples' places in the batch; within a domain the order stays.
        sizes: K numbers of samples.

    >>> routes = Routes.of(torch.tensor([1, 0, 1, 2]), domains=4)
    >>> routes.sort(torch.tensor([10, 20, 30, 40])).tolist(), routes.sizes
    ([20, 10, 30, 40], [1, 2, 1, 0])
    >>> routes.unsort(torch.tensor([20, 10, 30, 40])).tolist()
    [10, 20, 30, 40]
    """

    order_S: Tensor
    sizes: list[int]

    @classmethod
    def of(cls, domain_S: Tensor, domains: int) -> Self:
        """Sort by the domains [S], each 0..K-1."""
        if domains == 1:
            return cls(torch.arange(domain_S.shape[0], device=domain_S.device), [domain_S.shape[0]])
        here_SK = domain_S.unsqueeze(1) == torch.arange(domains, device=domain_S.device)
        sizes: list[int] = here_SK.sum(0).tolist()
        return cls(torch.argsort(domain_S, stable=True), sizes)

    def sort(self, x_S: Tensor) -> Tensor:
        """[S, ...] from the order of the batch to that of the domains."""
        return x_S if len(self.sizes) == 1 else x_S.index_select(0, self.order_S)

    def unsort(self, x_S: Tensor) -> Tensor:
        """[S, ...] from the order of the domains to that of the batch."""
        if len(self.sizes) == 1:
            return x_S
        return torch.empty_like(x_S).index_copy(0, self.order_S, x_S)

    def split(self, x_SD: Tensor) -> tuple[Tensor, ...]:
        """The sorted samples [S, ...] of each domain."""
        return torch.split(x_SD, self.sizes)
