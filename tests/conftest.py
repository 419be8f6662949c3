"""What the tests of several rooms share."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from corank.logs.marketplace import simulate
from corank.samples import build_samples

REPOSITORY = Path(__file__).resolve().parents[1]

SPARK = importlib.util.find_spec("pyspark") is not None and shutil.which("java") is not None
needs_spark = pytest.mark.skipif(not SPARK, reason="needs pyspark and Java 17")  # 400 MB; .ci/run gets them


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, for tests marked `data`; they skip where it is not."""
    folder = Path(os.environ.get("CORANK_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set CORANK_TEST_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def market_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated marketplace."""
    out = tmp_path_factory.mktemp("market") / "logs"
    simulate(out, settings=("requests=500",))
    return out


@pytest.fixture(scope="session")
def market_samples(market_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its samples, with unexposed items, in several row groups."""
    out = tmp_path_factory.mktemp("market") / "samples"
    build_samples(market_logs, out, recipe="unexposed", settings=("row_group_samples=3000",))
    return out
