"""Every registered model on hashed texts and several given vectors, with the match of texts."""

from __future__ import annotations

import pytest
import torch
from tests.counting import counted
from tests.inputs import make_batch, make_schema, rows

from corank.features.batch import Batch
from corank.features.schema import EmbeddingInput, InputSchema, SequenceInput
from corank.layers import RMSNorm
from corank.models import create_model, list_models

NAMES = list_models("*_xs")
PLAIN = make_schema()


def text(name: str, group: str, length: int) -> SequenceInput:
    return SequenceInput(name=name, group=group, table="query_text", cardinality=1026, length=length)


SCHEMA = InputSchema(
    request=PLAIN.request.model_copy(
        update={
            "sequences": (*PLAIN.request.sequences, text("query_text", "query", 6)),
            "embeddings": (EmbeddingInput(name="query_embedding", group="query", dim=5),),
        }
    ),
    sample=PLAIN.sample.model_copy(
        update={
            "sequences": (*PLAIN.sample.sequences, text("title_text", "item", 9)),
            "embeddings": (
                EmbeddingInput(name="image", group="item", dim=4),
                EmbeddingInput(name="title_embedding", group="item", dim=3),
            ),
        }
    ),
)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_trains_on_them(name: str) -> None:
    """Finite logits; a gradient for every parameter, those of missing texts and vectors too."""
    torch.manual_seed(0)
    model = create_model(name, SCHEMA, ["text_match=true"])
    batch, _ = make_batch(SCHEMA, 5, 40)
    for texts in (batch.request.sequences[0], batch.request.sequences[2]):
        texts[3].zero_()  # make_batch leaves the fourth without an embedding too
    logits = model(batch)["click"]
    extra = model.auxiliary_losses(lambda logits: torch.stack(list(logits.values())).square().sum())
    torch.autograd.backward(torch.stack([logits.square().sum(), *extra.values()]).sum())
    assert bool(torch.isfinite(logits).all())
    without = [n for n, p in model.named_parameters() if p.grad is None or not float(p.grad.abs().max())]
    assert without == []


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_alone_scores_as_in_its_batch(name: str) -> None:
    model = create_model(name, SCHEMA, ["text_match=true"]).eval()
    batch, _ = make_batch(SCHEMA, 4, 12)
    together = model(batch)["click"]
    for i in (0, 3, 7):
        request = rows(batch.request, batch.request_of_S[i : i + 1])
        alone = Batch(request, rows(batch.sample, torch.tensor([i])), torch.zeros(1, dtype=torch.int64))
        torch.testing.assert_close(model(alone)["click"][0], together[i], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_operations_and_parameters_are_counted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As PyTorch counts; the embeddings' parameters by their formula."""

    def norm(self: RMSNorm, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.rms_norm(x, self.weight.shape, self.weight, self.eps)

    monkeypatch.setattr(RMSNorm, "forward", norm)
    model = create_model(name, SCHEMA, ["text_match=true"]).eval().requires_grad_(False)
    for requests, samples in ((5, 40), (3, 7)):
        with counted() as counter:
            model(make_batch(SCHEMA, requests, samples)[0])
        assert model.flop_counts()["total"].of(requests, samples) == counter.get_total_flops()
    w = model.config.embedding_width
    vectors = (5 + 1 + 1) * w + (3 + 1 + 1) * w  # two more than the plain schema has
    matches = 2 * (16 + 2) * w  # words in words, text in text: a curve each
    plain = create_model(name, PLAIN).parameter_counts()["embedding"]
    assert model.parameter_counts()["embedding"] == plain + 1026 * w + vectors + matches


@pytest.mark.parametrize("name", ["dlrm_mlp_xs", "fm_xs", "unimixer_lite_xs"])
def test_exported_graph_gives_the_same_scores(name: str) -> None:
    model = create_model(name, SCHEMA, ["text_match=true"]).eval()
    R, S = torch.export.Dim("R", min=2), torch.export.Dim("S", min=2)
    request = [{0: R}, {0: R}, [{0: R}] * 3, [{0: R}]]
    sample = [{0: S}, {0: S}, [{0: S}] * 2, [{0: S}] * 2]
    batch, _ = make_batch(SCHEMA, 5, 40)
    program = torch.export.export(model, (batch,), dynamic_shapes={"batch": [request, sample, {0: S}]})
    other, _ = make_batch(SCHEMA, 4, 17, seed=1)
    torch.testing.assert_close(program.module()(other)["click"], model(other)["click"], rtol=1e-6, atol=1e-6)
