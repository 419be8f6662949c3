"""From logs of several domains to a model that tells them apart."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from corank import verbs
from corank.errors import CorankError
from corank.features import Reader, ReaderConfig, infer_spec
from corank.features.fit import fit_features
from corank.features.schema import FIRST
from corank.samples import build_samples
from corank.training import Run

SETTINGS = ("epochs=1", "reader.batch_samples=512", "log_every=1", "optimizer.warmup_steps=5")


@pytest.fixture(scope="module")
def es3(market_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("domains") / "samples"
    build_samples(
        market_logs, out, recipe="es3", settings=("exposure_counts=false", "row_group_samples=3000")
    )
    return out


def test_domains_of_searchified_samples_reach_the_model_by_name(es3: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings = [*SETTINGS, "model.esuif.unseen=rec", "loss.domain_weights.rec=0.5"]
    verbs.train(es3, run, "hhsft_xs", settings=settings)
    model = Run(run).model()
    domains = model.schema.domains()
    assert set(domains.names) == {"search", "rec", "shop"}
    assert domains.names[0] == "search"
    assert model.esuif is not None
    assert domains.names[model.esuif.unseen] == "rec"
    scored = pq.read_table(verbs.predict(run, es3, tmp_path / "p.parquet"))
    assert set(scored["domain"].to_pylist()) == {"search"}


def test_histories_by_domain_are_made_of_a_stores_events(es3: Path, tmp_path: Path) -> None:
    """Which domain an event is of reaches the pools: a vector for each that training saw in histories."""
    run = tmp_path / "run"
    pools = ["model.history.pools=[mean,self,target]", "model.history.by_domain=true"]
    verbs.train(es3, run, "hhsft_xs", settings=[*SETTINGS, *pools])
    model = Run(run).model().eval()
    pooling = model.embedding.history
    assert pooling is not None
    assert pooling.domain is not None
    seen = model.schema.request.sequences[pooling.domain].values
    assert {"search", "rec"} <= set(seen)
    features = fit_features(es3, infer_spec(es3))
    batch, _ = next(Reader(es3, features, "train", ReaderConfig(batch_samples=2000)).batches())
    once, each = pooling(batch, model.embedding.tables)
    width = model.config.embedding_width
    assert once.shape == (batch.requests, 2 * len(seen) * width)
    assert each.shape == (batch.samples, len(seen) * width)
    codes = batch.request.sequences[pooling.domain]
    for k in range(len(seen)):
        has_events = (codes == k + FIRST).any(1)
        mean = once[:, k * width : (k + 1) * width]
        assert torch.equal(mean.abs().sum(1) > 0, has_events)
        assert has_events.any()


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("model.esuif.unseen=serch", r"unknown domain 'serch' in esuif\.unseen; did you mean 'search'"),
        ("loss.domain_weights.shp=2", r"unknown domain 'shp' in loss\.domain_weights; did you mean 'shop'"),
    ],
)
def test_a_domain_that_is_not_there_is_named_and_nothing_is_written(
    es3: Path, tmp_path: Path, setting: str, sentence: str
) -> None:
    with pytest.raises(CorankError, match=sentence):
        verbs.train(es3, tmp_path / "run", "hhsft_xs", settings=[*SETTINGS, setting])
    assert not (tmp_path / "run").exists()


def test_labels_say_where_a_sample_stood_and_whether_they_came_about_elsewhere(es3: Path) -> None:
    features = fit_features(es3, infer_spec(es3))
    found: list[tuple[int, bool]] = []
    expected: list[tuple[int, bool]] = []
    for _, labels in Reader(es3, features, "train", ReaderConfig(batch_samples=700)).batches():
        assert labels.position_S is not None
        assert labels.attributed_S is not None
        found += zip(labels.position_S.tolist(), labels.attributed_S.tolist(), strict=True)
    for path in sorted((es3 / "train").glob("*.parquet")):
        table = pq.read_table(path, columns=["position", "label_source"])
        for positions, sources in zip(*(column.to_pylist() for column in table.columns), strict=True):
            for position, source in zip(positions, sources, strict=True):
                expected.append((position or 0, source not in (None, "own", "searchified")))
    assert found == expected
    assert sum(elsewhere and position > 0 for position, elsewhere in found) > 10
