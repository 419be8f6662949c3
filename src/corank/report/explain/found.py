"""The sections of explanations that runs already have, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corank.errors import CorankError
from corank.explain import Explanation
from corank.files import read_json
from corank.report.explain.groups import groups_section
from corank.report.explain.layers import layers_section
from corank.report.explain.request import request_section
from corank.report.sections import Section


def explanation_sections(runs: Sequence[tuple[str, Path]]) -> list[Section]:
    """What `corank explain` left in runs, each with the label of its model; nothing where it has not been.

    Raises:
        CorankError: what it left is damaged.
    """
    named = [(label, read_explanation(run)) for label, run in runs if document(run).is_file()]
    sections = [layers_section(named), groups_section(named), request_section(named)]
    return [section for section in sections if section]


def document(run: Path) -> Path:
    """Where `corank explain` leaves what it found."""
    return run / "explain" / "explain.json"


def read_explanation(run: Path) -> Explanation:
    """What `corank explain` found in a run.

    Raises:
        CorankError: it is damaged.
    """
    path = document(run)
    values = read_json(path)
    if not isinstance(values, dict):
        raise CorankError(f"{path}: expected an object, found {type(values).__name__}")
    return Explanation.parse(values, where=str(path))
