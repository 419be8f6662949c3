"""Embeddings and tokens: layout, sharing, and that the request side is computed once."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from tests.inputs import make_batch, make_schema, rows

from corank.errors import CorankError
from corank.features.batch import Batch, Side
from corank.features.schema import SideSchema
from corank.layers import FeatureEmbedding, TokenizerConfig
from corank.layers.embedding import Slot

SCHEMA = make_schema()


def test_ids_of_one_width_share_one_table() -> None:
    embedding = FeatureEmbedding(SCHEMA, width=8)
    assert list(embedding.tables) == ["8"]
    vocabularies = 30 + 5 + 5 + 11 + 20 + 7  # user, device, domain, words, item, category; shared ones once
    assert embedding.tables["8"].weight.shape == (vocabularies, 8)
    wide = SCHEMA.model_copy(
        update={
            "sample": SCHEMA.sample.model_copy(
                update={"ids": (SCHEMA.sample.ids[0].model_copy(update={"width": 12}), SCHEMA.sample.ids[1])}
            )
        }
    )
    two = FeatureEmbedding(wide, width=8)
    assert set(two.tables) == {"8", "12"}
    batch, _ = make_batch(wide, 3, 7)
    request, sample = two(batch)
    assert request.shape == (3, sum(s.width for s in two.request_slots))
    assert sample.shape == (7, sum(s.width for s in two.sample_slots))


def test_a_shared_vocabulary_is_one_embedding() -> None:
    """An item alone in a history has the embedding that it has as a candidate."""
    embedding = FeatureEmbedding(SCHEMA, width=8)
    batch, _ = make_batch(SCHEMA, 1, 1)
    batch.request.sequences[1].zero_()
    batch.request.sequences[1][0, 0] = 9
    batch.sample.ids[0, 0] = 9
    request, sample = embedding(batch)
    at = {s.name: i * 8 for i, s in enumerate(embedding.request_slots)}["history"]
    torch.testing.assert_close(request[0, at : at + 8], sample[0, :8])


def test_embeddings_may_be_normalised_over_the_batch() -> None:
    """Every number of either side, over its own rows; a side without fields has nothing to normalise."""
    embedding = FeatureEmbedding(SCHEMA, width=8, norm="batch")
    plain = FeatureEmbedding(SCHEMA, width=8)
    plain.load_state_dict(embedding.state_dict(), strict=False)
    batch, _ = make_batch(SCHEMA, 30, 50)
    for made, raw in zip(embedding(batch), plain(batch), strict=True):
        expected = (raw - raw.mean(0)) / (raw.var(0, unbiased=False) + 1e-5).sqrt()
        torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-4)
    alone = SCHEMA.model_copy(update={"request": SideSchema()})
    nothing = Side(torch.zeros(30, 0, dtype=torch.int64), torch.zeros(30, 0), [], [])
    batch = Batch(nothing, batch.sample, batch.request_of_S)
    request, sample = FeatureEmbedding(alone, width=8, norm="batch")(batch)
    assert (request.shape, sample.shape) == ((30, 0), (50, 8 * len(embedding.sample_slots)))


def test_an_empty_sequence_is_zero_and_padding_does_not_count() -> None:
    embedding = FeatureEmbedding(SCHEMA, width=8)
    batch, _ = make_batch(SCHEMA, 2, 2)
    at = {s.name: i * 8 for i, s in enumerate(embedding.request_slots)}["history"]
    batch.request.sequences[1].zero_()
    assert torch.equal(embedding(batch)[0][:, at : at + 8], torch.zeros(2, 8))
    batch.request.sequences[1][:, :2] = torch.tensor([[3, 4], [4, 3]])
    once = embedding(batch)[0][:, at : at + 8]
    batch.request.sequences[1][1] = torch.tensor([0, 4, 0, 3, 0, 0])
    torch.testing.assert_close(embedding(batch)[0][1, at : at + 8], once[0])


@pytest.mark.parametrize("kind", ["slices", "groups", "fields"])
def test_tokens_project_their_own_part(kind: Literal["slices", "groups", "fields"]) -> None:
    request = [Slot("u", "user", 3), Slot("q", "query", 2), Slot("v", "user", 2)]
    sample = [Slot("i", "item", 4), Slot("d", "domain", 1), Slot("j", "item", 2)]
    tokenizer = TokenizerConfig(kind=kind, tokens=4).build(request, sample, width=5)
    e_r, e_s, of = torch.randn(2, 7), torch.randn(5, 7), torch.tensor([0, 0, 1, 1, 1])
    if kind == "fields":
        order_r, order_s, sizes = list(range(7)), list(range(7)), [3, 2, 2, 4, 1, 2]
    else:  # a group's fields side by side
        order_r, order_s = [0, 1, 2, 5, 6, 3, 4], [0, 1, 2, 3, 5, 6, 4]
        sizes = [5, 2, 6, 1] if kind == "groups" else [4, 4, 3, 3]  # 14 numbers in 4 slices
    assert tokenizer.sizes == sizes
    whole = torch.cat([e_r[of][:, order_r], e_s[:, order_s]], dim=1)
    expected, start = [], 0
    for size, project in zip(sizes, tokenizer.projections, strict=True):
        expected.append(project(whole[:, start : start + size]))
        start += size
    torch.testing.assert_close(tokenizer(e_r, e_s, of), torch.stack(expected, 1), rtol=1e-6, atol=1e-6)


def test_request_tokens_run_once_a_request() -> None:
    """A hook counts the rows that a request-only token projects."""
    tokenizer = TokenizerConfig(kind="groups").build([Slot("u", "user", 3)], [Slot("i", "item", 4)], width=5)
    seen: list[int] = []
    for project in tokenizer.projections:
        project.register_forward_hook(lambda _module, inputs, _out: seen.append(inputs[0].shape[0]))
    tokenizer(torch.randn(2, 3), torch.randn(9, 4), torch.zeros(9, dtype=torch.int64))
    assert seen == [2, 9]


def test_more_slices_than_numbers_are_refused() -> None:
    with pytest.raises(CorankError, match="9 slices of 7 embedding numbers"):
        TokenizerConfig(tokens=9).build([Slot("u", "user", 3)], [Slot("i", "item", 4)], width=5)


def test_embedding_rows_do_not_depend_on_their_neighbours() -> None:
    embedding = FeatureEmbedding(SCHEMA, width=8)
    batch, _ = make_batch(SCHEMA, 4, 9)
    index = torch.tensor([5])
    alone = Batch(batch.request, rows(batch.sample, index), batch.request_of_S[index])
    torch.testing.assert_close(embedding(alone)[1][0], embedding(batch)[1][5])
