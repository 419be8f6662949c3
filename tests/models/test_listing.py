"""`corank models`: what each model costs, on the reference schema or on samples."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli import corank, document, refusal

from corank.features.fit import fit_features
from corank.features.infer import infer_spec
from corank.features.schema import InputSchema
from corank.models import create_model, list_models
from corank.models.listing import model_sizes
from corank.models.reference import reference_schema


def test_every_model_fits_the_reference_schema() -> None:
    sizes = model_sizes()
    assert [size.name for size in sizes] == list_models()
    assert [size.misfit for size in sizes if size.misfit] == []
    assert all(size.parameters["total"] and size.flops["total"].sample for size in sizes)


def test_the_list_says_what_the_model_says() -> None:
    (size,) = model_sizes("rankmixer_sparse_s")
    model = create_model("rankmixer_sparse_s", reference_schema())
    assert (size.parameters, size.flops) == (model.parameter_counts(), model.flop_counts())
    (said,) = document("models", "rankmixer_sparse_s")
    assert said == size.to_json()
    assert said["flops"]["total"].keys() == {"step", "request", "sample"}
    shown = corank("models", "rankmixer_sparse_s").stdout
    assert f"{size.parameters['total']:,}" in shown
    assert f"{size.flops['total'].sample:,}" in shown


def test_samples_give_the_schema(market_samples: Path) -> None:
    schema = fit_features(market_samples, infer_spec(market_samples)).schema
    (said,) = document("models", "fat_xs", "--samples", market_samples)
    assert said["parameters"] == create_model("fat_xs", schema).parameter_counts()


def test_a_model_that_does_not_fit_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corank.models.listing.reference_schema", InputSchema)
    shown = corank("models", "rankmixer_xs").stdout
    assert shown == "rankmixer_xs does not fit: tokenizer: 8 slices of 0 embedding numbers\n"
    (said,) = document("models", "rankmixer_xs")
    assert said["misfit"] == "tokenizer: 8 slices of 0 embedding numbers"


def test_names_alone_are_one_a_line() -> None:
    assert corank("models", "rankmixer_*", "--names").stdout.split() == list_models("rankmixer_*")
    assert document("models", "rankmixer_*", "--names") == list_models("rankmixer_*")


def test_a_pattern_that_matches_nothing_names_the_nearest(tmp_path: Path) -> None:
    assert refusal("models", "rankmixr_s") == "unknown model 'rankmixr_s'; did you mean 'rankmixer_s'?"
    assert "no such samples folder" in refusal("models", "--samples", tmp_path / "nowhere")
