"""Spark makes the same bytes as DuckDB, and says in one sentence why it cannot be had."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from pathlib import Path

import pytest
from tests.samples.generated import explicit_cuts, random_log, write

from corank.errors import CorankError
from corank.samples import build_samples

SETTINGS = [*explicit_cuts(), f"attribution_hours={2.5 / 3600}", "duplicate_events=keep"]

needs_spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None or shutil.which("java") is None,
    reason="needs pyspark (make spark) and a Java runtime",
)


@needs_spark
@pytest.mark.parametrize("ids", ["int", "text"])
def test_a_build_on_spark_is_the_same_bytes(ids: str, tmp_path: Path) -> None:
    logs = write(random_log(2, ids, parts=6), ids, tmp_path / "logs")
    one = build_samples(logs, tmp_path / "duckdb", recipe="es3", settings=SETTINGS)
    other = build_samples(
        logs, tmp_path / "spark", recipe="es3", settings=SETTINGS, engine="spark", master="local[2]"
    )
    assert other.engine == "spark"
    assert other.model_copy(update={"engine": one.engine, "versions": one.versions}) == one


@needs_spark
@pytest.mark.parametrize("scheme", ["sc", "spark"])
def test_a_spark_that_is_not_there(scheme: str, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    logs = write(random_log(0, "int", parts=2), "int", tmp_path / "logs")
    master = f"{scheme}://127.0.0.1:{port}"
    with pytest.raises(CorankError, match=f"nothing answers at 127.0.0.1:{port}"):
        build_samples(logs, tmp_path / "out", engine="spark", master=master)
    assert not (tmp_path / "out").exists()


def test_without_pyspark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corank.samples.spark_session.find_spec", lambda _: None)
    logs = write(random_log(0, "int", parts=2), "int", tmp_path / "logs")
    with pytest.raises(CorankError, match=r"pip install 'corank\[spark\]'"):
        build_samples(logs, tmp_path / "out", engine="spark")
    assert not (tmp_path / "out").exists()
