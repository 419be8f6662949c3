"""Given vectors and the match of texts, against their definitions."""

from __future__ import annotations

import pytest
import torch
from tests.inputs import make_batch, make_schema

from corank.errors import CorankError
from corank.features.batch import Batch
from corank.features.schema import EmbeddingInput, InputSchema, SideSchema
from corank.layers import FeatureEmbedding
from corank.layers.given import GivenVector
from corank.layers.text_match import TextMatch

SCHEMA = make_schema()
QUERY, TITLE = 0, 0


def test_a_vector_is_projected_and_a_missing_one_has_its_own() -> None:
    torch.manual_seed(0)
    given = GivenVector(3, 5)
    x = torch.tensor([[1.0, 2.0, 3.0], [torch.nan] * 3, [0.0, 0.0, 0.0]])
    made = given(x)
    torch.testing.assert_close(made[0], given.project.weight @ x[0] + given.project.bias)
    assert torch.equal(made[1], given.missing)
    assert torch.equal(made[2], given.project.bias)
    made[1].sum().backward()
    grads = {name: p.grad for name, p in given.named_parameters()}
    assert {name for name, grad in grads.items() if grad is not None and bool(grad.any())} == {"missing"}


def test_a_vector_may_be_projected_to_a_width_of_its_own() -> None:
    """In its own place, on either side; the rest is where it was."""
    vectors = (
        EmbeddingInput(name="image", group="item", dim=4),
        EmbeddingInput(name="text", group="item", dim=7, width=20),
    )
    asked = (EmbeddingInput(name="query_embedding", group="query", dim=6, width=3),)
    schema = InputSchema(
        request=SCHEMA.request.model_copy(update={"embeddings": asked}),
        sample=SCHEMA.sample.model_copy(update={"embeddings": vectors}),
    )
    embedding = FeatureEmbedding(schema, width=8)
    assert [(s.name, s.width) for s in embedding.sample_slots[-2:]] == [("image", 8), ("text", 20)]
    assert [(s.name, s.width) for s in embedding.request_slots[-1:]] == [("query_embedding", 3)]
    batch, _ = make_batch(schema, 3, 7)
    request, sample = embedding(batch)
    assert torch.equal(sample[:, -20:], embedding.sample.vectors[1](batch.sample.embeddings[1]))
    assert torch.equal(request[:, -3:], embedding.request.vectors[0](batch.request.embeddings[0]))
    assert embedding.flops().request - FeatureEmbedding(SCHEMA, width=8).flops().request == 2 * 6 * 3
    assert embedding.flops().sample - FeatureEmbedding(SCHEMA, width=8).flops().sample == 2 * 7 * 20


def texts(queries: list[list[int]], titles: list[list[int]], of: list[int]) -> Batch:
    """A batch with these codes as queries and titles."""
    batch, _ = make_batch(SCHEMA, len(queries), len(titles))
    batch.request.sequences[QUERY].zero_()
    batch.sample.sequences[TITLE].zero_()
    for r, query in enumerate(queries):
        batch.request.sequences[QUERY][r, : len(query)] = torch.tensor(query, dtype=torch.int64)
    for s, title in enumerate(titles):
        batch.sample.sequences[TITLE][s, : len(title)] = torch.tensor(title, dtype=torch.int64)
    return Batch(batch.request, batch.sample, torch.tensor(of))


def test_a_match_is_the_share_of_the_query_that_the_title_has() -> None:
    """Padding and what is rare match nothing, but what is rare counts; nothing asked for is missing."""
    match = TextMatch(SCHEMA, width=8)
    assert match.names == ["query_words in title_words"]
    queries = [[5, 6, 6, 1], [9], []]
    titles = [[6, 2], [1, 5, 6], [], [9, 9], [5], [3]]
    shares = torch.tensor([2 / 4, 3 / 4, 0.0, 1.0, 0.0, torch.nan])
    made = match(texts(queries, titles, [0, 0, 0, 1, 1, 2]))
    torch.testing.assert_close(made, match.curve(shares.unsqueeze(1)).flatten(1))
    assert torch.equal(made[5], match.curve.missing[0])


def test_a_match_lies_behind_all_else_and_needs_texts_that_share() -> None:
    torch.manual_seed(0)
    plain = FeatureEmbedding(SCHEMA, width=8)
    torch.manual_seed(0)
    both = FeatureEmbedding(SCHEMA, width=8, match=True)
    batch, _ = make_batch(SCHEMA, 3, 7)
    assert torch.equal(both(batch)[0], plain(batch)[0])
    assert torch.equal(both(batch)[1][:, :-8], plain(batch)[1])
    assert both.sample_slots[-1].name == "query_words in title_words"
    alone = InputSchema(request=SideSchema(), sample=SCHEMA.sample)
    with pytest.raises(CorankError, match="text_match: no text of requests and of items share embeddings"):
        FeatureEmbedding(alone, width=8, match=True)
