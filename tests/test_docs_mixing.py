"""The examples of the page on mixing are run."""

from __future__ import annotations

import doctest
from pathlib import Path


def test_examples_of_the_mixing_page_are_true() -> None:
    page = Path(__file__).parent.parent / "docs" / "concepts-mixing.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 10
    assert result.failed == 0
