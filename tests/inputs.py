"""A small schema with every kind of field, and batches that fit it."""

from __future__ import annotations

import torch
from torch import Tensor

from corank.features.batch import Batch, Labels, Side
from corank.features.schema import (
    EmbeddingInput,
    IdInput,
    InputSchema,
    NumberInput,
    SequenceInput,
    SideSchema,
)

DOMAINS = ("search", "feed", "shop")
CODES = torch.tensor([2, 3, 4, 1, 0])
"""Domains of the requests, in turn: each of the three, one that training did not see, and none."""


def make_schema() -> InputSchema:
    """Both sides, every kind of field, shared vocabularies, six groups, three domains."""
    return InputSchema(
        request=SideSchema(
            ids=(
                IdInput(name="user_id", group="user", table="user_id", cardinality=30),
                IdInput(name="device", group="context", table="device", cardinality=5),
                IdInput(name="domain", group="domain", table="domain", cardinality=5, values=DOMAINS),
            ),
            numbers=(NumberInput(name="hour", group="context"),),
            sequences=(
                SequenceInput(name="query_words", group="query", table="words", cardinality=11, length=4),
                SequenceInput(name="history", group="sequence", table="item_id", cardinality=20, length=6),
            ),
        ),
        sample=SideSchema(
            ids=(
                IdInput(name="item_id", group="item", table="item_id", cardinality=20),
                IdInput(name="category", group="item", table="category", cardinality=7),
            ),
            numbers=tuple(NumberInput(name=f"number_{i}", group="item") for i in range(3)),
            sequences=(
                SequenceInput(name="title_words", group="item", table="words", cardinality=11, length=5),
            ),
            embeddings=(EmbeddingInput(name="image", group="item", dim=4),),
        ),
    )


def make_batch(schema: InputSchema, requests: int, samples: int, seed: int = 0) -> tuple[Batch, Labels]:
    """Random inputs, a tenth of the numbers and of the vectors missing, `CODES` as domains.

    Every request has a sample if there are enough.
    """
    g = torch.Generator().manual_seed(seed)

    def side(part: SideSchema, n: int) -> Side:
        numbers = torch.rand(n, len(part.numbers), generator=g)
        numbers[torch.rand(numbers.shape, generator=g) < 0.1] = torch.nan
        drawn = {
            i.name: torch.randint(i.cardinality, (n,), generator=g) for i in part.ids if i.group != "domain"
        }
        ids = [drawn.get(i.name, CODES[torch.arange(n) % 5]) for i in part.ids]
        made = Side(
            ids=torch.stack(ids, 1),
            numbers=numbers,
            sequences=[torch.randint(s.cardinality, (n, s.length), generator=g) for s in part.sequences],
            embeddings=[torch.randn(n, e.dim, generator=g) for e in part.embeddings],
        )
        for vectors in made.embeddings:
            vectors[3::10] = torch.nan
        return made

    spread = torch.randint(requests, (max(samples - requests, 0),), generator=g)
    of = torch.cat([torch.arange(min(requests, samples)), spread]).sort().values
    clicks: Tensor = (torch.rand(samples, generator=g) < 0.3).float()
    labels = Labels(clicks, clicks * (torch.rand(samples, generator=g) < 0.2), torch.ones(samples))
    return Batch(side(schema.request, requests), side(schema.sample, samples), of), labels


def rows(side: Side, index: Tensor) -> Side:
    """Some rows of a side."""
    return Side(
        side.ids[index],
        side.numbers[index],
        [x[index] for x in side.sequences],
        [x[index] for x in side.embeddings],
    )
