"""A run looked into, as one HTML page."""

from __future__ import annotations

from pathlib import Path

from corank.explain import Explanation
from corank.files import whole_folder, write_json
from corank.report.explain.groups import groups_section
from corank.report.explain.layers import layers_section
from corank.report.explain.request import request_section
from corank.report.explain.short import method_section, short_section
from corank.report.mixing import mixing_section
from corank.report.page import render

DEFINITIONS = "Definitions of the figures, and how to read them: docs/reference/explain.md of corank."
PAGE, DOCUMENT = "explain.html", "explain.json"


def write_explanation(one: Explanation, run: Path, folder: Path, overwrite: bool = False) -> None:
    """Write the page and the document as a folder, whole or not at all.

    Raises:
        CorankError: the folder exists and may not be replaced, or cannot be written.
    """
    page = explanation_page(one, run)
    with whole_folder(folder, overwrite) as aside:
        (aside / PAGE).write_text(page, encoding="utf-8")
        write_json(aside / DOCUMENT, one.model_dump(mode="json"))


def explanation_page(one: Explanation, run: Path) -> str:
    """The page: what it comes to, the pictures, what they mean.

    Args:
        one: what was found.
        run: the folder with the pictures that training kept.

    Raises:
        CorankError: a file of it is damaged.
    """
    named = [(one.model, one)]
    sections = [
        short_section(one),
        mixing_section([(one.model, run)]),
        layers_section(named),
        groups_section(named),
        request_section(named),
        method_section(),
    ]
    shown = [section for section in sections if section]
    return render(Path(one.run).resolve().name, "explanation", shown, DEFINITIONS)
