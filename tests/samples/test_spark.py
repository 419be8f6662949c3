"""Spark makes the same bytes as DuckDB, and says in one sentence why it cannot be had."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import needs_spark
from tests.samples.generated import explicit_cuts, random_log, write

from corank.errors import CorankError
from corank.samples import build_samples, read_manifest

SETTINGS = [*explicit_cuts(), f"attribution_hours={2.5 / 3600}", "duplicate_events=keep"]
SETTINGS += ["unexposed_domain=unseen"]


def free_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def connect_server(tmp_path: Path) -> Iterator[str]:
    """The URL of a Spark Connect server, a process of its own on this machine."""
    found = importlib.util.find_spec("pyspark")
    assert found is not None
    assert found.submodule_search_locations is not None
    home, port = found.submodule_search_locations[0], free_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.shuffle.partitions": "2",
        # Compiling plans for a few rows takes longer than running them; the test of local Spark compiles.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.ui.enabled": "false",
        "spark.local.dir": str(tmp_path / "scratch"),
    }
    words = [f"{home}/bin/spark-submit", "--master", "local[2]"]
    words += [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
    words += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            words, stdout=log, stderr=log, cwd=tmp_path, env=os.environ | {"SPARK_HOME": home}
        )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, (tmp_path / "server.log").read_text()
            time.sleep(0.2)
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@needs_spark
def test_a_build_on_spark_is_the_same_bytes(tmp_path: Path) -> None:
    logs = write(random_log(2, "int", parts=6), "int", tmp_path / "logs")
    one = build_samples(logs, tmp_path / "duckdb", recipe="es3", settings=SETTINGS)
    other = build_samples(
        logs, tmp_path / "spark", recipe="es3", settings=SETTINGS, engine="spark", master="local[2]"
    )
    assert other.engine == "spark"
    assert other.model_copy(update={"engine": one.engine, "versions": one.versions}) == one


@needs_spark
def test_a_build_through_connect_is_the_same_bytes(connect_server: str, tmp_path: Path) -> None:
    """By the command line: a process has either a session of its own or remote ones."""
    logs, out = write(random_log(2, "text", parts=6), "text", tmp_path / "logs"), tmp_path / "spark"
    one = build_samples(logs, tmp_path / "duckdb", recipe="es3", settings=SETTINGS)
    words = [
        "samples",
        str(logs),
        str(out),
        "--recipe",
        "es3",
        "--engine",
        "spark",
        "--master",
        connect_server,
    ]
    words += [word for setting in SETTINGS for word in ("--set", setting)]
    subprocess.run([sys.executable, "-m", "corank", *words, "--quiet"], check=True)
    other = read_manifest(out)
    assert other.engine == "spark"
    assert other.model_copy(update={"engine": one.engine, "versions": one.versions}) == one


@needs_spark
@pytest.mark.parametrize("scheme", ["sc", "spark"])
def test_a_spark_that_is_not_there(scheme: str, tmp_path: Path) -> None:
    port = free_port()
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
