"""Starting Spark, or saying in one sentence why it does not start."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from corank.errors import CorankError

CONNECT_SECONDS = 10.0
"""How long a server may take to answer."""

LOCAL_PARTITIONS = "8"
"""Spark's 200 parts of a shuffle are made for clusters."""

MASTERS = "local[2], local[*], spark://HOST:PORT, yarn, k8s://HOST:PORT or sc://HOST:PORT"


def check_spark(master: str) -> None:
    """Stop if Spark cannot be had; to be asked before anything of it is imported.

    Raises:
        CorankError: Spark or Java is not installed, or the master is unknown or not to be reached.
    """
    if find_spec("pyspark") is None:
        raise CorankError(
            "engine spark: pyspark is not installed; install it with: pip install 'corank[spark]'"
        )
    if not re.fullmatch(r"local(\[(\*|\d+)\])?|yarn|(spark|k8s|sc)://\S+", master):
        raise CorankError(f"master '{master}': expected {MASTERS}")
    _reach(master)
    if not _is_remote(master) and not _has_java():
        raise CorankError(
            "engine spark: no Java found (no `java` on the path, no JAVA_HOME); install a Java 17 runtime"
        )


def connect(master: str, spill: Path) -> tuple[Any, bool]:
    """A session, and whether it is to be stopped after use: one that this process already has is not.

    Raises:
        CorankError: Spark does not start, or already runs with another master.
    """
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    remote = _is_remote(master)
    if active is not None and not remote:
        running = active.sparkContext.master
        if running != master:
            raise CorankError(f"master '{master}': this process already runs Spark on '{running}'")
        return _prepared(active.newSession()), False
    builder = (
        SparkSession.builder.remote(master)
        if remote
        else _configured(SparkSession.builder.master(master), spill, master.startswith("local"))
    )
    try:
        with _errors_to(spill / "spark.log"):
            return _prepared(builder.getOrCreate()), True
    except Exception as error:  # Spark raises many kinds, from Java's and from its own
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise CorankError(f"master '{master}': Spark does not start ({reason[0]})") from error


def _configured(builder: Any, spill: Path, local: bool) -> Any:
    """What a session of ours is started with: no pages, no folders beside the output, few partitions."""
    settings = {
        "spark.app.name": "corank",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(spill / "warehouse"),
        "spark.local.dir": str(spill / "scratch"),
    }
    if local:
        settings["spark.sql.shuffle.partitions"] = LOCAL_PARTITIONS
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder


def _prepared(session: Any) -> Any:
    """The settings on which the rows depend."""
    session.conf.set("spark.sql.session.timeZone", "UTC")
    session.conf.set("spark.sql.ansi.enabled", "true")
    session.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    return session


def _is_remote(master: str) -> bool:
    return master.startswith("sc://")


def _reach(master: str) -> None:
    """Open a connection to the master's host and port, if it names them.

    Raises:
        CorankError: nothing answers there.
    """
    found = re.match(r"(?:sc|spark)://([^:/;,]+)(?::(\d+))?", master)
    if not found:
        return
    host, port = found[1], int(found[2] or (15002 if master.startswith("sc://") else 7077))
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or "no answer"
        raise CorankError(
            f"master '{master}': nothing answers at {host}:{port} ({reason}); is Spark running there?"
        ) from None


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java") is not None or (home is not None and (Path(home) / "bin" / "java").is_file())


@contextmanager
def _errors_to(path: Path) -> Iterator[None]:
    """Give Java's standard error, which it inherits when it starts, to a file."""
    sys.stderr.flush()
    kept = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
