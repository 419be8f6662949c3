"""A user's history as vectors beside its fields' means: pooled event by event, in all or domain by domain."""

from __future__ import annotations

from typing import Literal, Self

import torch
from pydantic import Field as Bound
from pydantic import model_validator
from torch import Tensor, nn

from corank.config import Config
from corank.errors import CorankError
from corank.features.batch import Batch
from corank.features.schema import FIRST, InputSchema
from corank.layers.causal_attention import CausalAttention
from corank.layers.flops import Flops, flops_of
from corank.layers.target_attention import TargetAttention

Pool = Literal["mean", "self", "target"]


class HistoryConfig(Config):
    """Vectors that are made of a user's events, each with all of its fields."""

    pools: tuple[Pool, ...] = ()
    by_domain: bool = False  # one of each for the events of every domain, in place of one of all events
    blocks: int = Bound(default=1, ge=1)  # of self
    heads: int = Bound(default=1, ge=1)  # of self
    hidden: int = Bound(default=32, ge=1)  # of target

    @model_validator(mode="after")
    def _nothing_unused(self) -> Self:
        self.refuse_unused(bool(self.pools), "by_domain", "history.pools")
        self.refuse_unused("self" in self.pools, "blocks heads", "the pool self")
        self.refuse_unused("target" in self.pools, "hidden", "the pool target")
        return self


class HistoryPooling(nn.Module):
    """`v_i = W [e_i,1 ; e_i,2 ; ...]` of event i's fields, then one vector of a history by each pool.

    * `mean`: of the events;
    * `self`: what causal self-attention makes of the latest event, a learned vector a place added (SASRec);
    * `target`: the events weighted by what the candidate makes of them (DIN).

    The first two are made once a request, `target` once a sample. A history without events is 0.

    Args:
        config: the pools.
        schema: request sequences in the group `sequence` are the histories, aligned by event, latest first.
        width: D.
        offsets: (width, vocabulary) -> its first row in the table of that width.

    Raises:
        CorankError: there is no history; no field tells the events' domains, for `by_domain`; or no field of
            an item shares a vocabulary with a history, for `target`.
    """

    def __init__(
        self, config: HistoryConfig, schema: InputSchema, width: int, offsets: dict[tuple[int, str], int]
    ) -> None:
        super().__init__()
        self.config, self.width = config, width
        listed = enumerate(schema.request.sequences)
        fields = [(i, s) for i, s in listed if s.group == "sequence"]
        if not fields:
            raise CorankError("history.pools: the features have no request sequence in the group sequence")
        self.length = max(s.length for _, s in fields)
        self.fields = [(i, s.width or width, offsets[s.width or width, s.table], s.length) for i, s in fields]
        self.event = nn.Linear(sum(w for _, w, *_ in self.fields), width, bias=False)
        self.domain, self.parts = None, 1
        if config.by_domain:
            told = [(i, s) for i, s in fields if s.values]
            if not told:
                raise CorankError("history.by_domain: the features have no history of the column domain")
            self.domain, self.parts = told[0][0], len(told[0][1].values)
        if "self" in config.pools:
            self.place = nn.Parameter(torch.randn(self.length, width) * 0.02)
            blocks = (CausalAttention(self.length, width, config.heads) for _ in range(config.blocks))
            self.blocks = nn.ModuleList(blocks)
        if "target" in config.pools:
            tables = {(s.width or width, s.table) for _, s in fields}
            shared = [
                (i, s) for i, s in enumerate(schema.sample.ids) if (s.width or width, s.table) in tables
            ]
            if not shared:
                raise CorankError(
                    "history.pools=target: no field of an item shares a vocabulary with a history"
                )
            self.asked = [(i, s.width or width, offsets[s.width or width, s.table]) for i, s in shared]
            self.target = nn.Linear(sum(w for _, w, _ in self.asked), width, bias=False)
            self.attention = TargetAttention(self.length, width, config.hidden)

    def forward(self, batch: Batch, tables: nn.ModuleDict) -> tuple[Tensor, Tensor]:
        """Vectors of requests [R, n D] and of samples [S, m D]: by pool, then by domain."""
        v_RLD, there_RL = self._events(batch, tables)
        there_RKL = there_RL.unsqueeze(1)
        if self.domain is not None:
            codes_RL = self._padded(batch.request.sequences[self.domain])
            codes_K = torch.arange(FIRST, FIRST + self.parts, device=codes_RL.device)
            there_RKL = there_RKL & (codes_RL.unsqueeze(1) == codes_K.view(-1, 1))
        once: list[Tensor] = [v_RLD.new_zeros(v_RLD.shape[0], 0)]
        if "mean" in self.config.pools:
            share_RKL = there_RKL.to(v_RLD.dtype) / there_RKL.sum(2, keepdim=True).clamp_min(1)
            once.append((share_RKL @ v_RLD).flatten(1))
        if "self" in self.config.pools:
            once += [self._latest(v_RLD, there_RL) for there_RL in there_RKL.unbind(1)]
        each = [v_RLD.new_zeros(batch.samples, 0)]
        if "target" in self.config.pools:
            e = [tables[str(w)](batch.sample.ids[:, i] + first) for i, w, first in self.asked]
            t_SD = self.target(torch.cat(e, dim=1))
            a_SL, v_SLD = self.attention(v_RLD, t_SD, batch.request_of_S)
            a_SKL = a_SL.unsqueeze(1) * there_RKL.index_select(0, batch.request_of_S)
            each.append((a_SKL @ v_SLD).flatten(1))
        return torch.cat(once, dim=1), torch.cat(each, dim=1)

    def _events(self, batch: Batch, tables: nn.ModuleDict) -> tuple[Tensor, Tensor]:
        """Vectors of the events [R, L, D], and which there are [R, L]."""
        parts = []
        there_RL = batch.request.ids.new_zeros(batch.requests, self.length, dtype=torch.bool)
        for i, width, first, _ in self.fields:
            codes_RL = self._padded(batch.request.sequences[i])
            e_RLE = tables[str(width)](codes_RL + first)
            parts.append(e_RLE * (codes_RL > 0).unsqueeze(2))
            there_RL = there_RL | (codes_RL > 0)
        v_RLD: Tensor = self.event(torch.cat(parts, dim=2))
        return v_RLD, there_RL

    def _padded(self, codes_Rl: Tensor) -> Tensor:
        return nn.functional.pad(codes_Rl, (0, self.length - codes_Rl.shape[1]))

    def _latest(self, v_RLD: Tensor, there_RL: Tensor) -> Tensor:
        """What self-attention makes of the latest event that is there [R, D]."""
        h_RLD = v_RLD + self.place
        for block in self.blocks:
            h_RLD = block(h_RLD, there_RL)
        first_R = there_RL.int().argmax(1)
        latest_RD = h_RLD.gather(1, first_R.view(-1, 1, 1).expand(-1, 1, self.width)).squeeze(1)
        return latest_RD * there_RL.any(1, keepdim=True)

    def slots(self) -> tuple[list[str], list[str]]:
        """Names of the vectors, of requests and of samples."""
        kinds = [pool for pool in ("mean", "self") if pool in self.config.pools]
        once = [f"history {pool} {k}" for pool in kinds for k in range(self.parts)]
        each = [f"history target {k}" for k in range(self.parts)] if "target" in self.config.pools else []
        return once, each

    def flops(self) -> Flops:
        """The events, means and self-attention once a request, target attention once a sample."""
        pooled = 2 * self.parts * self.length * self.width
        total = Flops(request=self.length * flops_of(self.event).sample)
        if "mean" in self.config.pools:
            total += Flops(request=pooled)
        if "self" in self.config.pools:
            total += Flops(request=self.parts * flops_of(self.blocks).sample)
        if "target" in self.config.pools:
            total += flops_of(self.target) + self.attention.flops() + Flops(sample=pooled)
        return total
