"""ESUIF (UniScale, arXiv 2603.24226): DREF, then DAPGA, on the representation that any backbone makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

import torch
from pydantic import Field as Bound
from pydantic import model_validator
from torch import Tensor, nn

from corank.config import Config
from corank.errors import CorankError
from corank.features.batch import Batch
from corank.features.schema import InputSchema
from corank.layers.dapga import DAPGA
from corank.layers.dref import DREF
from corank.layers.embedding import Slot
from corank.layers.per_token import inner
from corank.layers.routes import Routes

LEAST = 4
"""Numbers of a representation that DREF and DAPGA can do something with: a norm leaves but a sign of two."""


class ESUIFConfig(Config):
    """Which parts there are, and their sizes; D is the width of the representation."""

    dref: bool = False  # shared and domain-routed experts
    dapga: bool = False  # attention to the views of all domains, gated by user and domain
    domain_heads: bool = False  # a feed-forward head a domain and task, in place of one linear head a task
    residual: bool = True  # around each of the two; the published equations show none
    expansion: float = Bound(default=2.0, gt=0)  # hidden width of experts and views, in D
    heads: int = Bound(default=1, ge=1)  # H, of the attention to views
    gate_expansion: float = Bound(default=0.5, gt=0)  # hidden width of both gates' networks, in D
    head_expansion: float = Bound(default=0.5, gt=0)  # hidden width of the domains' heads, in D
    unseen: str | None = None  # the domain that unseen ones are taken for; None: the most frequent

    @model_validator(mode="after")
    def _nothing_unused(self) -> Self:
        self.refuse_unused(
            self.dref or self.dapga, "residual expansion gate_expansion", "esuif.dref or esuif.dapga"
        )
        self.refuse_unused(self.dapga, "heads", "esuif.dapga")
        self.refuse_unused(self.domain_heads, "head_expansion", "esuif.domain_heads")
        self.refuse_unused(self.any, "unseen", "esuif.dref, esuif.dapga or esuif.domain_heads")
        return self

    @property
    def any(self) -> bool:
        """Is anything told apart by domain?"""
        return self.dref or self.dapga or self.domain_heads


class ESUIF(nn.Module):
    """`e = z + DREF(z);  o = e + DAPGA(e, [x_User ; x_Domain])`, each if it is switched on.

    Without `residual`, as published: `e = DREF(z);  o = DAPGA(e, ...)`. What is off hands on what came in.

    Args:
        config: which parts.
        width: D.
        schema: tells which field of a request is the domain, and how many there are.
        request_slots: layout of the requests' embeddings, from which the gate reads users and domains.

    Raises:
        CorankError: there is no field for the gate, the domain `unseen` is not known, H does not divide D, or
            D is less than `LEAST`.
    """

    PARTS: ClassVar = {"dref": "feed_forward", "dapga": "mixing"}

    def __init__(
        self, config: ESUIFConfig, width: int, schema: InputSchema, request_slots: Sequence[Slot]
    ) -> None:
        super().__init__()
        if width < LEAST and (config.dref or config.dapga):
            raise CorankError(
                f"esuif.dref and esuif.dapga begin with a norm, which leaves nothing of {width} numbers: "
                f"they need {LEAST} or more (esuif.domain_heads does not)"
            )
        self.domains = schema.domains()
        self.unseen = self.domains.index(config.unseen, "esuif.unseen") if config.unseen else 0
        K, hidden = len(self.domains.names), inner(width, config.expansion)
        gate_hidden = inner(width, config.gate_expansion)
        self.residual = config.residual
        self.dref = DREF(K, width, hidden, gate_hidden) if config.dref else None
        self.dapga: DAPGA | None = None
        if config.dapga:
            columns = _columns(request_slots)
            if not columns:
                raise CorankError(
                    "esuif.dapga: its gate reads the request's fields of the groups user and domain; "
                    "the features have none"
                )
            self.register_buffer("gate_columns", torch.tensor(columns), persistent=False)
            self.gate_columns: Tensor
            self.dapga = DAPGA(K, width, hidden, config.heads, len(columns), gate_hidden)

    def known(self, batch: Batch) -> Batch:
        """The batch with domains that training did not see replaced by `unseen`: scored as if of that one."""
        ids_RF = self.domains.known(batch.request.ids, self.unseen)
        return replace(batch, request=replace(batch.request, ids=ids_RF))

    def routes(self, batch: Batch) -> Routes:
        """Where the samples of each domain lie."""
        domain_R = self.domains.of_requests(batch.request.ids)
        return Routes.of(domain_R.index_select(0, batch.request_of_S), len(self.domains.names))

    def forward(self, z_SD: Tensor, request_RE: Tensor, request_of_S: Tensor, routes: Routes) -> Tensor:
        """Sorted samples [S, D], embeddings of the requests, to [S, D]; `request_of_S` as in the batch."""
        if self.dref is not None:
            z_SD = self._onto(z_SD, self.dref(z_SD, routes))
        if self.dapga is not None:
            gate_RE = request_RE.index_select(1, self.gate_columns)
            z_SD = self._onto(z_SD, self.dapga(z_SD, gate_RE, routes.sort(request_of_S), routes))
        return z_SD

    def _onto(self, z_SD: Tensor, part_SD: Tensor) -> Tensor:
        return z_SD + part_SD if self.residual else part_SD


def _columns(slots: Sequence[Slot]) -> list[int]:
    """Columns of the concatenated embeddings that hold fields of the groups user and domain."""
    columns: list[int] = []
    start = 0
    for slot in slots:
        if slot.group in ("user", "domain"):
            columns += range(start, start + slot.width)
        start += slot.width
    return columns
