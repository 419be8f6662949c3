"""Texts and given vectors of a store, from its columns to batches, runs and refusals."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tests.features.test_texts import plain_codes, plain_words

from corank import verbs
from corank.errors import CorankError
from corank.features import Features, FeatureSpec, Field, Reader, ReaderConfig, infer_spec
from corank.features.fit import fit_features
from corank.features.store import Store
from corank.models import create_model
from corank.progress import QUIET, Task
from corank.samples import build_samples
from corank.training import Run

CONFIG = ReaderConfig(batch_samples=700)
VECTOR, IMAGE = pa.list_(pa.float32()), pa.list_(pa.float64())
ODD = {0: None, 1: "", 2: "Ünheard-of  words, WORDS"}
BROKEN = [math.nan, 1.0, 1.0]
SETTINGS = ("epochs=1", "reader.batch_samples=512", "optimizer.warmup_steps=5")


class Said:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def task(self, name: str, total: int) -> AbstractContextManager[Task]:
        return QUIET.task(name, total)

    def say(self, line: str) -> None:
        self.lines.append(line)


def replaced(path: Path, **columns: pa.Array) -> None:
    """Write columns over those of a Parquet file, or beside them."""
    table = pq.read_table(path)
    for name, values in columns.items():
        at = table.schema.get_field_index(name)
        table = table.append_column(name, values) if at < 0 else table.set_column(at, name, values)
    pq.write_table(table, path)


@pytest.fixture(scope="module")
def samples(market_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With odd queries and titles, embeddings of queries, and images of items; some null, some broken."""
    at = tmp_path_factory.mktemp("given")
    logs = at / "logs"
    shutil.copytree(market_logs, logs)
    rng = np.random.default_rng(0)
    requests, items = pq.read_table(logs / "requests.parquet"), pq.read_table(logs / "items.parquet")
    queries = [ODD.get(i % 20, query) for i, query in enumerate(requests["query"].to_pylist())]
    vectors = rng.normal(size=(len(requests), 5)).tolist()
    asked = [v if q else None for v, q in zip(vectors, queries, strict=True)]
    replaced(logs / "requests.parquet", query=pa.array(queries), query_embedding=pa.array(asked, VECTOR))
    images: list[Any] = rng.normal(2, 3, size=(len(items), 3)).tolist()
    images[3::10] = [None] * len(images[3::10])
    images[4::50] = [BROKEN] * len(images[4::50])
    titles = [ODD.get(i % 20, title) for i, title in enumerate(items["title"].to_pylist())]
    replaced(logs / "items.parquet", image=pa.array(images, IMAGE), title=pa.array(titles))
    build_samples(logs, at / "samples", recipe="unexposed", settings=("row_group_samples=3000",))
    return at / "samples"


@pytest.fixture(scope="module")
def fitted(samples: Path) -> Features:
    return fit_features(samples, infer_spec(samples))


def spec_of(*fields: dict[str, Any]) -> FeatureSpec:
    return FeatureSpec(fields=tuple(Field.parse(f) for f in fields))


def names(inputs: tuple[Any, ...]) -> list[str]:
    return [i.name for i in inputs]


def test_texts_and_vectors_are_inferred(samples: Path) -> None:
    fields = {f.label: f for f in infer_spec(samples).fields}
    assert (fields["query_text"].kind, fields["query_text"].group) == ("text", "query")
    assert (fields["title_text"].kind, fields["title_text"].shares) == ("text", "query_text")
    assert fields["query"].kind == "id"
    for name, group in (("query_embedding", "query"), ("embedding", "item"), ("image", "item")):
        assert (fields[name].kind, fields[name].group, fields[name].normalise) == ("embedding", group, "l2")


def test_what_is_learned_is_small_and_counted(samples: Path) -> None:
    """Buckets by the words of training's queries and of the titles in it; vectors that are not there."""
    said = Said()
    fitted = fit_features(samples, infer_spec(samples), said)
    items = pq.read_table(samples / "items.parquet").to_pylist()
    image = fitted.vectors["image"]
    assert (image.dim, image.rows) == (3, len(items))
    assert image.missing == sum(row["image"] is None for row in items) > 0
    broken = sum(row["image"] is not None and math.isnan(row["image"][0]) for row in items)
    assert image.unusable == broken > 0
    asked = pq.read_table(samples / "train", columns=["query_embedding"])["query_embedding"]
    assert (fitted.vectors["query_embedding"].rows, fitted.vectors["query_embedding"].missing) == (
        len(asked),
        asked.null_count,
    )
    told = (
        f"embedding 'image': of {len(items):,} read, {image.missing:,} are null and {broken:,} cannot be used"
    )
    assert told in said.lines
    assert not any("'embedding'" in line for line in said.lines)
    assert list(fitted.hashings) == ["query_text"]
    train = pq.read_table(samples / "train", columns=["query", "item_id"]).to_pylist()
    listed = {item for row in train for item in row["item_id"]}
    texts = {row["query"] for row in train} | {i["title"] for i in items if i["item_id"] in listed}
    words = {word for text in texts for word in plain_words(text)}
    assert fitted.hashings["query_text"].buckets == max(1024, 2 ** math.ceil(math.log2(4 * len(words))))
    assert "title_text" not in fitted.vocabularies


@pytest.mark.parametrize("space", ["entire", "exposed"])
def test_the_reader_gives_what_the_columns_say(samples: Path, fitted: Features, space: Any) -> None:
    """The query's side a row a request, the item's a row a sample."""
    rows = iter(pq.read_table(samples / "valid").to_pylist())
    items = {row["item_id"]: row for row in pq.read_table(samples / "items.parquet").to_pylist()}
    schema, buckets = fitted.schema, fitted.hashings["query_text"].buckets
    query = names(schema.request.sequences).index("query_text")
    title = names(schema.sample.sequences).index("title_text")
    asked = names(schema.request.embeddings).index("query_embedding")
    image = names(schema.sample.embeddings).index("image")
    assert schema.sample.sequences[title].table == schema.request.sequences[query].table
    seen = {"no query": 0, "no title": 0, "no image": 0}
    for batch, _ in Reader(samples, fitted, "valid", CONFIG, space).batches():
        assert batch.request.sequences[query].shape == (batch.requests, 12)
        assert batch.request.embeddings[asked].shape == (batch.requests, 5)
        of = batch.request_of_S.numpy()
        for r in range(batch.requests):
            row = next(rows)
            assert batch.request.sequences[query][r].tolist() == plain_codes(
                row["query"], "words", 3, 12, buckets
            )
            vector = batch.request.embeddings[asked][r]
            seen["no query"] += row["query"] is None
            same(vector, row["query_embedding"])
            keep = [i for i, shown in enumerate(row["exposed"]) if shown or space == "entire"]
            for s, i in zip(np.flatnonzero(of == r), keep, strict=True):
                item = items[row["item_id"][i]]
                codes = plain_codes(item["title"], "words", 3, 12, buckets)
                assert batch.sample.sequences[title][s].tolist() == codes
                same(batch.sample.embeddings[image][s], item["image"])
                seen["no title"] += not any(codes)
                seen["no image"] += item["image"] is None
    assert space == "exposed" or all(seen.values()), seen


def same(vector: torch.Tensor, given: list[float] | None) -> None:
    """Is it what was given, of length sqrt(dim), or all NaN?"""
    if given is None or not np.isfinite(given).all():
        assert bool(vector.isnan().all())
    else:
        expected = np.array(given) / np.linalg.norm(given) * math.sqrt(len(given))
        np.testing.assert_allclose(vector.numpy(), expected, rtol=1e-5)


def test_an_item_that_the_table_lacks_has_no_text_and_no_vector(samples: Path, fitted: Features) -> None:
    encoder = Reader(samples, fitted, "valid", CONFIG).encoder
    assert not any(codes[-1].any() for codes in encoder.items.sequences)
    assert all(np.isnan(vectors[-1]).all() for vectors in encoder.items.embeddings)


def everything(samples: Path, fitted: Features, config: ReaderConfig) -> Iterator[torch.Tensor]:
    for batch, _ in Reader(samples, fitted, "train", config).batches("3/1"):
        for side in (batch.request, batch.sample):
            yield from [side.ids, side.numbers.nan_to_num(-1), *side.sequences]
            yield from (x.nan_to_num(-9) for x in side.embeddings)


def test_without_cache_or_prefetch_texts_and_vectors_are_the_same(samples: Path, fitted: Features) -> None:
    lean = ReaderConfig(batch_samples=700, cache_gib=0, prefetch=0)
    pairs = zip(everything(samples, fitted, CONFIG), everything(samples, fitted, lean), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_other_fields_are_as_without_texts_and_vectors(samples: Path, fitted: Features) -> None:
    kinds = ("text", "embedding")
    fewer = FeatureSpec(fields=tuple(f for f in infer_spec(samples).fields if f.kind not in kinds))
    without = fit_features(samples, fewer)
    assert (without.hashings, without.vectors) == ({}, {})
    assert without.schema.request.ids == fitted.schema.request.ids
    one = next(Reader(samples, without, "train", CONFIG).batches("0/0"))[0]
    two = next(Reader(samples, fitted, "train", CONFIG).batches("0/0"))[0]
    for a, b in ((one.request, two.request), (one.sample, two.sample)):
        assert torch.equal(a.ids, b.ids)
        assert torch.equal(a.numbers.nan_to_num(-1), b.numbers.nan_to_num(-1))
        assert a.embeddings == []
    assert len(one.sample.sequences) == 0


def test_a_run_holds_what_texts_and_vectors_need(samples: Path, tmp_path: Path) -> None:
    """It is moved, read again, evaluated to the same figures, and predicts."""
    spec = infer_spec(samples)
    changes: dict[str, dict[str, Any]] = {
        "title_text": {"unit": "both", "ngram": 4, "length": 30},
        "query_text": {"unit": "both", "ngram": 4, "buckets": 3000, "width": 12},
        "image": {"normalise": "standard", "width": 24},
        "query_embedding": {"normalise": "none"},
    }
    changes["title_text"]["width"] = 12
    edited = tuple(f.model_copy(update=changes.get(f.label, {})) for f in spec.fields)
    FeatureSpec(fields=edited).write(tmp_path / "spec.yaml")
    run = tmp_path / "run"
    settings = (*SETTINGS, "model.text_match=true")
    verbs.train(samples, run, "unimixer_lite_xs", settings=settings, features=tmp_path / "spec.yaml")
    run = run.rename(tmp_path / "moved")
    features = Run(run).features()
    assert features.hashings["query_text"].buckets == 3000
    assert features.vectors["image"].normalise == "standard"
    assert len(features.vectors["image"].shift) == 3
    again = fit_features(samples, FeatureSpec.read(tmp_path / "spec.yaml"))
    assert (features.schema, features.vectors, features.spec.fields) == (
        again.schema,
        again.vectors,
        again.spec.fields,
    )
    slots = {s.name: s.width for s in Run(run).model().embedding.sample_slots}
    assert (slots["title_text"], slots["image"], slots["embedding"]) == (12, 24, 8)
    verbs.predict(run, samples, tmp_path / "scores.parquet", split="valid")
    scores = pq.read_table(tmp_path / "scores.parquet")
    assert len(scores) > 0
    ids = pq.read_table(samples / "valid", columns=["request_id"])["request_id"]
    explained = verbs.explain(run, samples, requests=40, request=str(ids[0]))
    held = {name for token in explained.tokens for name in token.fields}
    assert {"query_text", "title_text", "image", "embedding", "query_text in title_text"} <= held
    file = run / "features" / "statistics.json"
    statistics = json.loads(file.read_text())
    statistics["vectors"]["image"]["normalise"] = "cosine"
    file.write_text(json.dumps(statistics))
    with pytest.raises(CorankError, match="not written by corank, or damaged"):
        Run(run).features()


def test_later_vectors_of_another_length_are_refused(samples: Path, fitted: Features, tmp_path: Path) -> None:
    copy = tmp_path / "samples"
    shutil.copytree(samples, copy)
    for file in (copy / "valid").glob("*.parquet"):
        rows = pq.ParquetFile(file).metadata.num_rows
        replaced(file, query_embedding=pa.array([[1.0]] * rows, VECTOR))
    with pytest.raises(CorankError, match=r"'query_embedding': embeddings must be of 5 numbers, found len"):
        next(Reader(copy, fitted, "valid", CONFIG).batches())
    replaced(copy / "items.parquet", image=pa.array([[1.0]] * Store(copy).items.num_rows, IMAGE))
    with pytest.raises(CorankError, match=r"field 'image': embeddings must be of 3 numbers, found lengths"):
        Reader(copy, fitted, "valid", CONFIG)


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ({"column": "price", "source": "item"}, "of kind text, which needs text; item column 'price' holds"),
        ({"column": "price", "source": "list"}, "of kind text, which item-in-request columns cannot have"),
        ({"column": "title", "source": "item", "shares": "device"}, "cannot share with 'device', which is o"),
        ({"column": "title", "source": "item", "shares": "nothing"}, "shares with 'nothing', unknown"),
        ({"column": "brand", "kind": "id", "source": "item", "shares": "query"}, "has no vocabulary of its"),
        ({"column": "title", "kind": "embedding", "source": "item"}, "needs lists of numbers; item column"),
        (
            {"column": "title", "source": "item", "shares": "query", "unit": "ngrams"},
            "'title' shares with 'query' and must be hashed alike: `unit: words`",
        ),
        (
            {"column": "title", "source": "item", "shares": "query", "width": 12},
            "'title' shares embeddings with 'query', of width as the model has, and cannot have width 12",
        ),
    ],
)
def test_a_text_that_does_not_fit_is_refused(samples: Path, field: dict[str, Any], sentence: str) -> None:
    spec = spec_of(
        {"column": "query", "kind": "text", "source": "request", "group": "query"},
        {"column": "device", "kind": "id", "source": "request", "group": "context"},
        {"kind": "text", "group": "item", **field},
    )
    with pytest.raises(CorankError, match=sentence):
        fit_features(samples, spec)


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ({"kind": "id", "unit": "ngrams"}, "`unit` is a setting of kind text"),
        ({"kind": "sequence", "buckets": 100}, "`buckets` is a setting of kind text"),
        ({"kind": "text", "normalise": "none"}, "`normalise` is a setting of kind embedding"),
        ({"kind": "text", "ngram": 4}, "`ngram` needs `unit: ngrams` or `unit: both`"),
        ({"kind": "text", "shares": "x", "buckets": 9}, "`buckets` is that of the field that it shares with"),
        ({"kind": "sequence", "shares": "x", "min_count": 9}, "`min_count` is that of the field"),
        ({"kind": "text", "min_count": 50}, "`min_count` is a setting of kind id or sequence"),
        ({"kind": "number", "max_size": 5}, "`max_size` is a setting of kind id or sequence"),
        ({"kind": "id", "length": 3}, "`length` is a setting of kind sequence or text"),
        ({"kind": "embedding", "shares": "x"}, "only id, sequence and text fields can share"),
        ({"kind": "text", "source": "history"}, "a history column is of kind sequence, not text"),
        ({"kind": "text", "unit": "letters"}, "input should be 'words', 'ngrams' or 'both'"),
        ({"kind": "embedding", "normalise": "l1"}, "input should be 'l2', 'standard' or 'none'"),
    ],
)
def test_settings_of_another_kind_are_refused(field: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CorankError, match=sentence):
        Field.parse({"column": "a", "source": "request", "group": "context", **field})


def test_who_shares_embeddings_has_their_width(samples: Path) -> None:
    spec = spec_of(
        {"column": "query", "kind": "text", "source": "request", "group": "query", "width": 12},
        {"column": "title", "kind": "text", "source": "item", "group": "item", "shares": "query"},
    )
    schema = fit_features(samples, spec).schema
    assert (schema.request.sequences[0].width, schema.sample.sequences[0].width) == (12, 12)
    assert list(create_model("dlrm_mlp_xs", schema).embedding.tables) == ["12"], "one table for both"


def test_models_read_texts_and_vectors_alone(samples: Path) -> None:
    """Nothing else is needed, not even an id."""
    spec = spec_of(
        {"column": "query", "kind": "text", "source": "request", "group": "query"},
        {"column": "title", "kind": "text", "source": "item", "group": "item", "shares": "query"},
        {"column": "image", "kind": "embedding", "source": "item", "group": "item"},
    )
    features = fit_features(samples, spec)
    batch, _ = next(Reader(samples, features, "train", CONFIG).batches())
    logits = create_model("dlrm_mlp_xs", features.schema)(batch)["click"]
    assert bool(torch.isfinite(logits).all())
