"""Opening a log: what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.logs.tiny import good_rows, write_log

from corank.errors import CorankError
from corank.logs import open_logs


def rewrite(log: Path, table: str, column: str, values: pa.Array | pa.ChunkedArray) -> None:
    """Put other values in the place of a column's."""
    path = log / f"{table}.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.set_column(rows.schema.get_field_index(column), column, values), path)


def cast(log: Path, table: str, column: str, kind: pa.DataType) -> None:
    """Give a column another type."""
    rewrite(log, table, column, pq.read_table(log / f"{table}.parquet")[column].cast(kind))


def test_a_good_log_opens(tmp_path: Path) -> None:
    log = open_logs(write_log(tmp_path))
    assert log.folder == tmp_path
    assert log.path("requests") == tmp_path / "requests.parquet"
    assert (log.rows("requests"), log.rows("candidates")) == (4, 12)
    assert "price" in log.schema("candidates").names


@pytest.mark.parametrize("folder", ["candidates", "candidates.parquet"])
def test_a_table_may_be_a_folder_of_files(tmp_path: Path, folder: str) -> None:
    write_log(tmp_path)
    rows = pq.read_table(tmp_path / "candidates.parquet")
    (tmp_path / "candidates.parquet").unlink()
    (tmp_path / folder).mkdir()
    for part, start in (("part-0", 0), ("part-1", 6)):
        pq.write_table(rows.slice(start, 6), tmp_path / folder / f"{part}.parquet")
    (tmp_path / folder / "_SUCCESS").touch()
    (tmp_path / folder / ".part-0.parquet").write_bytes(b"left by an engine")
    log = open_logs(tmp_path)
    assert log.rows("candidates") == 12
    assert [file.name for file in log.files("candidates")] == ["part-0.parquet", "part-1.parquet"]


def test_a_folder_whose_files_differ_is_refused(tmp_path: Path) -> None:
    write_log(tmp_path)
    rows = pq.read_table(tmp_path / "users.parquet")
    (tmp_path / "users.parquet").unlink()
    (tmp_path / "users").mkdir()
    pq.write_table(rows, tmp_path / "users" / "a.parquet")
    pq.write_table(rows.drop_columns("age"), tmp_path / "users" / "b.parquet")
    with pytest.raises(CorankError, match=r"b\.parquet: column 'age' differs .* a\.parquet"):
        open_logs(tmp_path)


def test_a_missing_folder_table_or_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorankError, match="no such folder"):
        open_logs(tmp_path / "nowhere")
    write_log(tmp_path)
    (tmp_path / "items.parquet").rename(tmp_path / "item.parquet")
    with pytest.raises(CorankError, match=r"no table items .* did you mean 'item'"):
        open_logs(tmp_path)
    (tmp_path / "item.parquet").rename(tmp_path / "items.parquet")
    rows = pq.read_table(tmp_path / "users.parquet")
    pq.write_table(rows.rename_columns(["userid", "age"]), tmp_path / "users.parquet")
    with pytest.raises(CorankError, match=r"users lacks the column 'user_id' .*; did you mean 'userid'"):
        open_logs(tmp_path)


def test_a_table_there_twice_or_in_subfolders_is_refused(tmp_path: Path) -> None:
    write_log(tmp_path)
    (tmp_path / "users" / "day=1").mkdir(parents=True)
    with pytest.raises(CorankError, match="there twice"):
        open_logs(tmp_path)
    (tmp_path / "users.parquet").rename(tmp_path / "users" / "day=1" / "a.parquet")
    with pytest.raises(CorankError, match="subfolders are not read"):
        open_logs(tmp_path)


@pytest.mark.parametrize("keep", [0, 10, 400])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: int) -> None:
    write_log(tmp_path)
    file = tmp_path / "events.parquet"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(CorankError, match=r"events\.parquet: not readable as Parquet"):
        open_logs(tmp_path)


@pytest.mark.parametrize(
    ("table", "column", "kind", "sentence"),
    [
        ("requests", "timestamp", pa.timestamp("us"), "no time zone.*tz_localize"),
        ("requests", "timestamp", pa.timestamp("us", "Europe/Paris"), "tz_convert"),
        ("events", "timestamp", pa.timestamp("ns", "UTC"), "cast it to microseconds"),
        ("events", "timestamp", pa.int64(), r"events\.timestamp is int64, expected timestamp\[us, UTC\]"),
        ("candidates", "position", pa.float64(), "nullable integer"),
        ("candidates", "exposed", pa.int8(), r"candidates\.exposed is int8, expected bool"),
        ("candidates", "item_id", pa.float64(), r"candidates\.item_id is double, expected int64 or text"),
        ("events", "value", pa.string(), r"events\.value is string, expected float64"),
    ],
)
def test_a_wrong_type_is_refused(
    tmp_path: Path, table: str, column: str, kind: pa.DataType, sentence: str
) -> None:
    cast(write_log(tmp_path), table, column, kind)
    with pytest.raises(CorankError, match=sentence):
        open_logs(tmp_path)


def test_a_column_without_a_type_is_refused(tmp_path: Path) -> None:
    rewrite(write_log(tmp_path), "requests", "query", pa.nulls(4))
    with pytest.raises(CorankError, match="without any values"):
        open_logs(tmp_path)


def test_ids_are_of_one_type_in_all_tables(tmp_path: Path) -> None:
    log = write_log(tmp_path)
    cast(log, "candidates", "item_id", pa.int32())
    open_logs(log)
    cast(log, "candidates", "item_id", pa.string())
    with pytest.raises(CorankError, match="item_id is text in candidates but a number in events and items"):
        open_logs(log)


def test_columns_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    log = write_log(tmp_path)
    rows = pq.read_table(log / "users.parquet")
    pq.write_table(rows.append_column("AGE", rows["age"]), log / "users.parquet")
    with pytest.raises(CorankError, match="several columns called 'age'"):
        open_logs(log)


def test_a_column_may_not_take_the_name_that_numbers_rows(tmp_path: Path) -> None:
    log = write_log(tmp_path)
    rows = pq.read_table(log / "users.parquet")
    pq.write_table(rows.append_column("file_row_number", rows["age"]), log / "users.parquet")
    with pytest.raises(CorankError, match="'file_row_number': the name is reserved"):
        open_logs(log)


@pytest.mark.parametrize("table", ["requests", "candidates"])
def test_an_empty_log_is_refused(tmp_path: Path, table: str) -> None:
    with pytest.raises(CorankError, match=f"the table {table} is empty"):
        open_logs(write_log(tmp_path, good_rows() | {table: []}))


def test_an_unknown_table_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorankError, match="did you mean 'requests'"):
        open_logs(write_log(tmp_path)).path("request")
