"""A predictions file is checked as one from outside, and is numbered in the order of its rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corank.errors import CorankError
from corank.evaluation import predictions_of, read_predictions

MakeTable = Callable[..., pa.Table]


def replaced(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def test_what_is_read(make_table: MakeTable, tmp_path: Path) -> None:
    table = make_table(requests=5, length=4)
    pq.write_table(table.append_column("more", [["x"] * 20]), tmp_path / "test.parquet")
    read = read_predictions(tmp_path / "test.parquet")
    assert (read.rows, read.requests, read.users, read.domains) == (20, 5, 2, ("rec", "search"))
    assert read.request.tolist() == [row // 4 for row in range(20)]
    assert read.position.tolist() == [1, 2, 0, 0] * 5
    assert read.click.tolist() == [bool(value) for value in table["label_click"].to_pylist()]


def test_parts_are_numbered_without_gaps(make_table: MakeTable) -> None:
    part = predictions_of(make_table(requests=5, length=4)).take(np.arange(8, 20))
    assert (part.rows, part.requests, part.users) == (12, 3, 2)
    assert part.request.tolist() == [row // 4 for row in range(12)]
    assert part.ids["request_id"].to_pylist()[0] == 1002


def test_text_ids_and_dictionaries_are_read_alike(make_table: MakeTable) -> None:
    table = make_table(requests=5, length=4)
    text = [str(value) for value in table["request_id"].to_pylist()]
    plain = predictions_of(replaced(table, "request_id", text))
    column = pa.array(text).dictionary_encode()
    encoded = predictions_of(table.set_column(0, "request_id", column))
    assert plain.ids.equals(encoded.ids)
    assert plain.request.tolist() == encoded.request.tolist()


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("score", [0.5] * 7 + [1.5], "column 'score' holds 1.5, expected finite numbers between 0 and 1"),
        ("score", [0.5] * 7 + [float("nan")], "column 'score' holds nan"),
        ("score", [0.5] * 7 + [None], "column 'score' has 1 empty values"),
        ("score", ["high"] * 8, "column 'score' is string, expected numbers"),
        ("label_click", [0.5] * 8, "column 'label_click' must hold only 0 and 1"),
        ("weight", [-1.0] * 8, "column 'weight' holds -1.0"),
        ("position", [0] * 8, "column 'position' holds 0.0"),
        ("request_id", [0.5] * 8, "column 'request_id' is double, expected an integer or text"),
        ("domain", [1] * 8, "column 'domain' is int64, expected text"),
        ("user_id", [[1]] * 8, "column 'user_id' is list"),
    ],
)
def test_wrong_columns(make_table: MakeTable, name: str, values: object, sentence: str) -> None:
    with pytest.raises(CorankError, match=f"here: {sentence}"):
        predictions_of(replaced(make_table(requests=2, length=4), name, values), "here")


def test_wrong_files(make_table: MakeTable, tmp_path: Path) -> None:
    with pytest.raises(CorankError, match="no such file"):
        read_predictions(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("not Parquet at all")
    with pytest.raises(CorankError, match="not readable as Parquet"):
        read_predictions(tmp_path / "text.parquet")
    table = make_table(requests=2, length=4)
    renamed = table.rename_columns(["scores" if name == "score" else name for name in table.column_names])
    with pytest.raises(CorankError, match="no column 'score'; did you mean 'scores'"):
        predictions_of(renamed)
    with pytest.raises(CorankError, match="holds no rows"):
        predictions_of(table[:0])
