"""What hidden states and the matrices of inputs tell, summed over the samples of many batches."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from corank.explain.result import MatrixStatistics, StateStatistics
from corank.explain.statistics import concentration, effective_rank, kept, rank_of, shares, sources, sparsity


@dataclass
class StateSums:
    """Sums over samples of what hidden states [S, T, D] tell."""

    samples: int = 0
    tokens: int = 0
    gram_DD: Tensor | None = None
    ranks: float = 0.0
    concentrations: float = 0.0
    vectors: int = 0

    def add(self, x_STD: Tensor) -> None:
        """Count the states of a batch in."""
        x_STD = x_STD.detach().cpu().double()
        S, T, D = x_STD.shape
        x_LD = x_STD.reshape(S * T, D)
        gram_DD = x_LD.mT @ x_LD
        self.gram_DD = gram_DD if self.gram_DD is None else self.gram_DD + gram_DD
        inner = x_STD @ x_STD.mT if T <= D else x_STD.mT @ x_STD
        self.ranks += float(_rank_of_gram(inner).sum())
        found = concentration(x_LD)
        self.vectors += int(found.isfinite().sum())
        self.concentrations += float(found.nansum())
        self.samples, self.tokens = self.samples + S, T

    def statistics(self) -> StateStatistics | None:
        """None if nothing was counted."""
        if self.gram_DD is None:
            return None
        return StateStatistics(
            tokens=self.tokens,
            width=len(self.gram_DD),
            rank=float(_rank_of_gram(self.gram_DD)),
            rank_in_sample=self.ranks / self.samples,
            concentration=self.concentrations / self.vectors if self.vectors else None,
        )


@dataclass
class WeightSums:
    """Sums over samples of matrices [S, H, N, M] that depend on the input; heads are averaged."""

    samples: int = 0
    shares_NM: Tensor | None = None
    of: dict[str, float] = field(default_factory=dict)

    def add(self, w_SHNM: Tensor) -> None:
        """Count the matrices of a batch in."""
        w_SHNM = w_SHNM.detach().cpu().double()
        found = shares(w_SHNM).mean(1).sum(0)
        self.shares_NM = found if self.shares_NM is None else self.shares_NM + found
        for name, measure in (
            ("sparsity", sparsity),
            ("sources", sources),
            ("rank", effective_rank),
            ("kept", kept),
        ):
            self.of[name] = self.of.get(name, 0.0) + float(measure(w_SHNM).mean(1).sum())
        self.samples += len(w_SHNM)

    def statistics(self) -> MatrixStatistics | None:
        """None if nothing was counted."""
        return MatrixStatistics(**{k: v / self.samples for k, v in self.of.items()}) if self.samples else None

    def mean(self) -> Tensor | None:
        """The mean of the shares [N, M]."""
        return None if self.shares_NM is None else self.shares_NM / self.samples


def _rank_of_gram(gram: Tensor) -> Tensor:
    """Effective rank [...] of matrices whose rows (or columns) have these products [..., n, n]."""
    return rank_of(torch.linalg.eigvalsh(gram).clamp_min(0).sqrt())
