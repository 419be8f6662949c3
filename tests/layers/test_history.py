"""Vectors of histories against loops over events, and how often each is made."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.counting import counted
from tests.inputs import make_batch, make_schema, rows
from tests.layers.same import Weights, attention, layer_norm, linear
from torch import Tensor

from corank.errors import CorankError
from corank.features.batch import Batch
from corank.features.schema import InputSchema, SequenceInput
from corank.layers import FeatureEmbedding, HistoryConfig
from corank.layers.history import Pool
from corank.models import create_model, list_models

D, LONG = 4, 6
ALL: tuple[Pool, ...] = ("mean", "self", "target")
MORE = (
    SequenceInput(name="history_category", group="sequence", table="category", cardinality=7, length=4),
    SequenceInput(
        name="history_domain",
        group="sequence",
        table="told",
        cardinality=4,
        length=6,
        values=("search", "feed"),
    ),
)


def with_history(schema: InputSchema, *fields: SequenceInput) -> InputSchema:
    request = schema.request.model_copy(update={"sequences": (*schema.request.sequences, *fields)})
    return schema.model_copy(update={"request": request})


SCHEMA = with_history(make_schema(), *MORE)


def batch_of(requests: int, samples: int) -> Batch:
    """Histories of several lengths, one of them empty, with holes in single fields."""
    batch, _ = make_batch(SCHEMA, requests, samples)
    sequences = [x.clone() for x in batch.request.sequences]
    for x in sequences[1:]:
        for r in range(requests):
            x[r, LONG - r :] = 0
    sequences[1][0, 1] = 0
    for x in sequences[1:]:
        x[-1] = 0
    return replace(batch, request=replace(batch.request, sequences=sequences))


BATCH = batch_of(5, 12)


def made(config: HistoryConfig) -> tuple[FeatureEmbedding, Tensor, Tensor]:
    """An embedding with histories, and the vectors of these, of requests and of samples."""
    torch.manual_seed(0)
    embedding = FeatureEmbedding(SCHEMA, D, config).double()
    assert embedding.history is not None
    with torch.no_grad():
        for p in embedding.history.parameters():
            p.copy_(torch.randn(p.shape, dtype=torch.float64) * 0.5)
    once_RE, each_SE = embedding.history(BATCH, embedding.tables)
    once, each = embedding.history.slots()
    assert (once_RE.shape[1], each_SE.shape[1]) == (len(once) * D, len(each) * D)
    return embedding, once_RE, each_SE


def events(embedding: FeatureEmbedding, r: int) -> dict[int, tuple[Tensor, int]]:
    """By place, the vector of each event that a request has, and the code of its domain."""
    assert embedding.history is not None
    tables, history = dict(embedding.named_parameters()), embedding.history
    table = tables[f"tables.{D}.weight"]
    found = {}
    for i in range(LONG):
        parts = []
        for column, _, first, length in history.fields:
            code = int(BATCH.request.sequences[column][r, i]) if i < length else 0
            parts.append(table[first + code] if code else torch.zeros(D, dtype=torch.float64))
        codes = [int(BATCH.request.sequences[c][r, i]) for c, _, _, length in history.fields if i < length]
        if any(codes):
            domain = int(BATCH.request.sequences[3][r, i])
            found[i] = (history.event.weight @ torch.cat(parts), domain)
    return found


def told(by_domain: bool) -> list[set[int]]:
    """The codes of domain whose events each vector is made of."""
    return [{2}, {3}] if by_domain else [{0, 1, 2, 3}]


@pytest.mark.parametrize("by_domain", [False, True])
def test_means_are_of_the_events_that_are_there(by_domain: bool) -> None:
    embedding, once, _ = made(HistoryConfig(pools=("mean",), by_domain=by_domain))
    for r in range(5):
        expected = []
        for codes in told(by_domain):
            there = [v for v, domain in events(embedding, r).values() if domain in codes]
            expected.append(torch.stack(there).mean(0) if there else torch.zeros(D, dtype=torch.float64))
        torch.testing.assert_close(once[r], torch.cat(expected), rtol=1e-6, atol=1e-6)
    assert not once[-1].any()


def causal(w: Weights, name: str, x: dict[int, Tensor], heads: int) -> dict[int, Tensor]:
    """A block over the events that are there, each seeing itself and older ones: later places."""
    n = {i: layer_norm(v, w[f"{name}.norm.weight"], w[f"{name}.norm.bias"]) for i, v in x.items()}
    out = {}
    for i in x:
        older = [j for j in x if j >= i]
        q, k, v = ([linear(w, f"{name}.{p}", n[j]) for j in older] for p in "qkv")
        h = x[i] + attention(q, k, v, heads)[0]
        up = linear(
            w, f"{name}.ffn.0", layer_norm(h, w[f"{name}.norm_ffn.weight"], w[f"{name}.norm_ffn.bias"])
        )
        out[i] = h + linear(w, f"{name}.ffn.2", up.clamp_min(0))
    return out


@pytest.mark.parametrize("by_domain", [False, True])
def test_self_attention_is_sasrecs_at_the_latest_event(by_domain: bool) -> None:
    config = HistoryConfig(pools=("self",), by_domain=by_domain, blocks=2, heads=2)
    embedding, once, _ = made(config)
    assert embedding.history is not None
    w = dict(embedding.history.named_parameters())
    for r in range(5):
        expected = []
        for codes in told(by_domain):
            x = {i: v + w["place"][i] for i, (v, domain) in events(embedding, r).items() if domain in codes}
            for b in range(2):
                x = causal(w, f"blocks.{b}", x, 2)
            expected.append(x[min(x)] if x else torch.zeros(D, dtype=torch.float64))
        torch.testing.assert_close(once[r], torch.cat(expected), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("by_domain", [False, True])
def test_target_attention_is_dins(by_domain: bool) -> None:
    """Weights from event, candidate and their product, not normalised."""
    embedding, _, each = made(HistoryConfig(pools=("target",), by_domain=by_domain, hidden=3))
    history = embedding.history
    assert history is not None
    table = dict(embedding.named_parameters())[f"tables.{D}.weight"]
    w = dict(history.attention.named_parameters())
    for s in range(12):
        asked = [table[first + int(BATCH.sample.ids[s, i])] for i, _, first in history.asked]
        t = history.target.weight @ torch.cat(asked)
        expected = []
        for codes in told(by_domain):
            total = torch.zeros(D, dtype=torch.float64)
            for v, domain in events(embedding, int(BATCH.request_of_S[s])).values():
                if domain in codes:
                    h = linear(w, "event", v) + linear(w, "target", t) + linear(w, "product", v * t)
                    h = torch.where(h > 0, h, w["act.weight"] * h)
                    total = total + linear(w, "out", h) * v
            expected.append(total)
        torch.testing.assert_close(each[s], torch.cat(expected), rtol=1e-6, atol=1e-6)
    assert [i for i, *_ in history.asked] == [0, 1]  # item_id and category


@pytest.mark.parametrize("pools", [("mean",), ("self",), ("target",), ALL])
@pytest.mark.parametrize("by_domain", [False, True])
def test_operations_are_counted_where_they_are_done(pools: tuple[Pool, ...], by_domain: bool) -> None:
    """Only target attention costs anything a sample."""
    config = HistoryConfig(pools=pools, by_domain=by_domain, blocks=2 if "self" in pools else 1)
    embedding = FeatureEmbedding(SCHEMA, D, config)
    plain = FeatureEmbedding(SCHEMA, D)
    for requests, samples in ((5, 12), (3, 20)):
        with counted() as counter, torch.no_grad():
            embedding(batch_of(requests, samples))
        assert embedding.flops().of(requests, samples) == counter.get_total_flops()
    assert (embedding.flops().sample > plain.flops().sample) == ("target" in pools)


@pytest.mark.parametrize(
    "name", [n for n in list_models("*_xs") if n.startswith(("hhsft", "unim", "fm", "auto"))]
)
def test_any_model_takes_histories(name: str) -> None:
    """Slots of both sides; every weight learns; a sample alone has its score of the batch; exported."""
    torch.manual_seed(0)
    settings = ["history.pools=[mean, self, target]", "history.by_domain=true"]
    model = create_model(name, SCHEMA, settings)
    torch.autograd.backward(model(BATCH)["click"].square().sum())
    history = model.embedding.history
    assert history is not None
    assert [n for n, p in history.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert len(model.embedding.request_slots) == len(create_model(name, SCHEMA).embedding.request_slots) + 4
    model.eval()
    request = BATCH.request_of_S[3:4]
    sample = rows(BATCH.sample, torch.tensor([3]))
    alone = Batch(rows(BATCH.request, request), sample, torch.zeros(1, dtype=torch.int64))
    torch.testing.assert_close(model(alone)["click"][0], model(BATCH)["click"][3], rtol=1e-5, atol=1e-6)
    R, S = torch.export.Dim("R", min=2), torch.export.Dim("S", min=2)
    sides = [{0: R}, {0: R}, [{0: R}] * 4, []], [{0: S}, {0: S}, [{0: S}], [{0: S}]]
    program = torch.export.export(model, (BATCH,), dynamic_shapes={"batch": [*sides, {0: S}]})
    other = batch_of(4, 9)
    torch.testing.assert_close(program.module()(other)["click"], model(other)["click"], rtol=1e-5, atol=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    plain = make_schema()
    without = plain.request.model_copy(update={"sequences": plain.request.sequences[:1]})
    for schema, config, sentence in [
        (
            plain.model_copy(update={"request": without}),
            HistoryConfig(pools=("mean",)),
            "no request sequence",
        ),
        (plain, HistoryConfig(pools=("mean",), by_domain=True), "no history of the column domain"),
        (SCHEMA, HistoryConfig(pools=("self",), heads=3), "3 heads do not divide the embedding width 4"),
        (
            plain.model_copy(update={"sample": plain.sample.model_copy(update={"ids": ()})}),
            HistoryConfig(pools=("target",)),
            "no field of an item shares a vocabulary with a history",
        ),
    ]:
        with pytest.raises(CorankError, match=sentence):
            FeatureEmbedding(schema, D, config)
