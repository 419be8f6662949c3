"""What the tests of several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, for tests marked `data`; they skip where it is not."""
    folder = Path(os.environ.get("CORANK_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set CORANK_TEST_DATA to their folder")
    return folder
