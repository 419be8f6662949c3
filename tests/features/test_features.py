"""Spec, fit and reader on a store: against plain Python over the same rows."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corank.errors import CorankError
from corank.features import Batch, Features, FeatureSpec, Field, Reader, ReaderConfig, infer_spec
from corank.features.fit import fit_features
from corank.features.store import Store
from corank.models import create_model

CONFIG = ReaderConfig(batch_samples=700)


@pytest.fixture(scope="module")
def fitted(market_samples: Path) -> Features:
    return fit_features(market_samples, infer_spec(market_samples))


def rows_of(samples: Path, split: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(samples / split).to_pylist()
    return rows


def spec_of(*fields: dict[str, Any]) -> FeatureSpec:
    return FeatureSpec(fields=tuple(Field.parse(f) for f in fields))


def test_inference_names_every_input_and_no_outcome(market_samples: Path) -> None:
    spec = infer_spec(market_samples)
    labels = [f.label for f in spec.fields]
    assert {"user_id", "query_text", "item_id", "price", "item_price", "history_item_id", "embedding"} <= {
        *labels
    }
    assert len(labels) == len(set(labels))
    forbidden = {
        "position",
        "exposed",
        "label_click",
        "label_purchase",
        "label_source",
        "weight",
        "request_id",
    }
    assert not forbidden & {f.column for f in spec.fields}
    assert "request.session_id" in spec.left_out


def test_a_spec_survives_its_yaml(market_samples: Path, tmp_path: Path) -> None:
    spec = infer_spec(market_samples)
    spec.write(tmp_path / "spec.yaml")
    assert FeatureSpec.read(tmp_path / "spec.yaml") == spec


def test_patterns_stand_for_a_field_a_column(market_samples: Path) -> None:
    spec = spec_of({"column": "user_touches*", "kind": "number", "source": "list", "group": "item"})
    columns = {s: list(c) for s, c in Store(market_samples).columns.items()}
    expanded = spec.expand(columns)
    assert [f.column for f in expanded.fields] == [c for c in columns["list"] if c.startswith("user_touches")]
    assert len(expanded.fields) > 1


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ({"column": "quer", "kind": "id"}, "no request column 'quer'; did you mean 'query'"),
        ({"column": "z*", "kind": "id"}, r"pattern 'z\*' matches no request column"),
        (
            {"column": "query", "kind": "number"},
            "field 'query' is of kind number, which needs a numeric column",
        ),
        (
            {"column": "device", "kind": "embedding"},
            "needs lists of numbers; request column 'device' holds string",
        ),
        ({"column": "price", "kind": "id", "source": "list"}, "needs text or whole numbers"),
        ({"column": "query", "kind": "id", "shares": "itm"}, "'query' shares with 'itm', unknown"),
        ({"column": "position", "kind": "number", "source": "list"}, "no list column 'position'"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(
    market_samples: Path, field: dict[str, Any], sentence: str
) -> None:
    spec = spec_of({"source": "request", "group": "context", **field})
    with pytest.raises(CorankError, match=sentence):
        fit_features(market_samples, spec)


def test_unknown_kind_and_key_name_what_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("fields:\n  - {column: a, kind: numbr, source: list, group: item}\n")
    with pytest.raises(CorankError, match=r"'fields\.0\.kind' = 'numbr': input should be 'id', 'number'"):
        FeatureSpec.read(path)
    path.write_text("fields:\n  - {colum: a}\n")
    with pytest.raises(CorankError, match=r"spec\.yaml: "):
        FeatureSpec.read(path)


def test_vocabularies_hold_what_training_saw_often_enough(market_samples: Path, fitted: Features) -> None:
    train = rows_of(market_samples, "train")
    items = Counter(item for row in train for item in row["item_id"])
    known = set(fitted.vocabularies["item_id"].values.to_pylist())
    assert known == {item for item, count in items.items() if count >= 2}
    assert set(fitted.seen_items.to_pylist()) == set(items)
    users = Counter(row["user_id"] for row in train)
    assert set(fitted.vocabularies["user_id"].values.to_pylist()) == {u for u, n in users.items() if n >= 2}
    assert set(fitted.seen_users.to_pylist()) == set(users)


def test_the_words_of_a_text_may_have_a_vocabulary(market_samples: Path) -> None:
    query = {"column": "query", "kind": "sequence", "source": "request", "group": "query"}
    words = fit_features(market_samples, spec_of(query)).vocabularies["query"].values.to_pylist()
    train = rows_of(market_samples, "train")
    counts = Counter(word for row in train for word in row["query"].lower().split())
    assert set(words) == {word for word, count in counts.items() if count >= 2}


def test_fitting_ignores_what_comes_after_training(market_samples: Path, tmp_path: Path) -> None:
    """With the later splits' rows replaced by training's first ones, the same features are learned."""
    copy = tmp_path / "samples"
    shutil.copytree(market_samples, copy)
    rows = pq.read_table(copy / "train").slice(0, 3)
    for split in ("valid", "test"):
        for file in (copy / split).glob("*.parquet"):
            file.unlink()
        pq.write_table(rows, copy / split / "part-00000.parquet")
    spec = infer_spec(market_samples)
    one, two = fit_features(market_samples, spec), fit_features(copy, spec)
    assert one.scales == two.scales
    assert {k: v.values for k, v in one.vocabularies.items()} == {
        k: v.values for k, v in two.vocabularies.items()
    }


def test_features_survive_their_folder(fitted: Features, tmp_path: Path) -> None:
    fitted.save(tmp_path / "features")
    loaded = Features.load(tmp_path / "features")
    assert loaded.schema == fitted.schema
    assert loaded.scales == fitted.scales
    assert loaded.seen_items.equals(fitted.seen_items)
    (tmp_path / "features" / "statistics.json").write_text("{}")
    with pytest.raises(CorankError, match="not written by corank, or damaged"):
        Features.load(tmp_path / "features")


@pytest.mark.parametrize(
    "field",
    [
        {"column": "device", "kind": "id", "source": "request", "group": "context"},
        {"column": "price", "kind": "number", "source": "list", "group": "item"},
        {"column": "brand", "kind": "id", "source": "item", "group": "item"},
        {"column": "action", "kind": "sequence", "source": "history", "group": "sequence"},
    ],
)
def test_one_field_of_any_source_is_enough(market_samples: Path, field: dict[str, Any]) -> None:
    features = fit_features(market_samples, spec_of(field))
    batch, labels = next(Reader(market_samples, features, "train", CONFIG).batches())
    assert batch.sample.ids.shape[0] == batch.samples == len(labels.click_S)
    assert batch.request.numbers.shape[0] == batch.requests
    model = create_model("dlrm_mlp_xs", features.schema)
    assert model(batch)["click"].shape == (batch.samples,)


@pytest.mark.parametrize("space", ["entire", "exposed"])
def test_the_reader_gives_what_the_rows_say(market_samples: Path, fitted: Features, space: Any) -> None:
    """Every id, number, history and label of every sample, in the order of the store."""
    rows = rows_of(market_samples, "valid")
    history = pq.read_table(market_samples / "histories.parquet").to_pylist()
    items = {row["item_id"]: row for row in pq.read_table(market_samples / "items.parquet").to_pylist()}
    schema = fitted.schema
    column = {name: i for i, name in enumerate(x.name for x in schema.sample.ids)}
    number = {name: i for i, name in enumerate(x.name for x in schema.sample.numbers)}
    sequence = {s.name: i for i, s in enumerate(schema.request.sequences)}
    request_column = {name: i for i, name in enumerate(x.name for x in schema.request.ids)}

    def code(table: str, value: object) -> int:
        return int(
            fitted.vocabularies[table].encode(pa.array([value], fitted.vocabularies[table].values.type))[0]
        )

    reader = Reader(market_samples, fitted, "valid", CONFIG, space)
    at = iter(rows)
    batches = list(reader.batches())
    assert len(batches) == reader.steps() > 1
    for batch, labels in batches[:2]:
        of = batch.request_of_S.numpy()
        for r in range(batch.requests):
            row = next(at)
            assert int(batch.request.ids[r, request_column["user_id"]]) == code("user_id", row["user_id"])
            begin, size = row["history_offset"], row["history_length"]
            latest = [event["item_id"] for event in history[begin : begin + size]][::-1][:20]
            expected = [code("item_id", item) for item in latest] + [0] * (20 - len(latest))
            assert batch.request.sequences[sequence["history_item_id"]][r].tolist() == expected
            keep = [i for i, shown in enumerate(row["exposed"]) if shown or space == "entire"]
            mine = np.flatnonzero(of == r)
            assert len(mine) == len(keep)
            for s, i in zip(mine, keep, strict=True):
                item = items[row["item_id"][i]]
                assert int(batch.sample.ids[s, column["item_id"]]) == code("item_id", item["item_id"])
                assert int(batch.sample.ids[s, column["brand"]]) == code("brand", item["brand"])
                price = fitted.scales["price"].encode(np.array([row["price"][i]], float))[0]
                assert float(batch.sample.numbers[s, number["price"]]) == pytest.approx(
                    float(price), abs=1e-6
                )
                since = row["user_since_touch"][i]
                assert bool(batch.sample.numbers[s, number["user_since_touch"]].isnan()) == (since is None)
                assert float(labels.click_S[s]) == row["label_click"][i]
                assert float(labels.weight_S[s]) == row["weight"][i]


def _everything(batches: list[tuple[Batch, Any]]) -> list[tuple[float, ...]]:
    return sorted(
        (*b.sample.ids[s].tolist(), float(x.click_S[s])) for b, x in batches for s in range(b.samples)
    )


def test_shuffled_batches_hold_the_same_samples_in_another_order(
    market_samples: Path, fitted: Features
) -> None:
    reader = Reader(market_samples, fitted, "train", CONFIG)
    plain, one, again, other = (list(reader.batches(shuffle)) for shuffle in (None, "0/0", "0/0", "0/1"))
    assert _everything(plain) == _everything(one) == _everything(other)
    assert all(bool((a[0].sample.ids == b[0].sample.ids).all()) for a, b in zip(one, again, strict=True))
    assert any(
        a[0].samples != b[0].samples or bool((a[0].sample.ids != b[0].sample.ids).any())
        for a, b in zip(one, other, strict=False)
    )
    assert len(one) == reader.steps("0/0")


@pytest.mark.parametrize("skip", [0, 1, 5, 1000])
def test_skipping_gives_the_rest_of_the_pass(market_samples: Path, fitted: Features, skip: int) -> None:
    reader = Reader(market_samples, fitted, "train", CONFIG)
    whole, rest = list(reader.batches("7/3")), list(reader.batches("7/3", skip=skip))
    assert len(rest) == max(len(whole) - skip, 0)
    for (a, _), (b, _) in zip(whole[skip:], rest, strict=True):
        assert bool((a.sample.ids == b.sample.ids).all())


def test_without_cache_or_prefetch_the_batches_are_the_same(market_samples: Path, fitted: Features) -> None:
    lean = ReaderConfig(batch_samples=700, cache_gib=0, prefetch=0)
    one = list(Reader(market_samples, fitted, "train", CONFIG).batches("1/1"))
    two = list(Reader(market_samples, fitted, "train", lean).batches("1/1"))
    assert all(bool((a[0].sample.ids == b[0].sample.ids).all()) for a, b in zip(one, two, strict=True))


def test_a_truncated_file_ends_in_one_sentence(market_samples: Path, tmp_path: Path) -> None:
    copy = tmp_path / "samples"
    shutil.copytree(market_samples, copy)
    file = next((copy / "train").glob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(CorankError, match=r"part-00000.parquet: cannot be read as Parquet"):
        infer_spec(copy)
