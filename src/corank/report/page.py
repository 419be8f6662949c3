"""Sections as one HTML page: everything inside it, nothing fetched, no script."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from corank.report.sections import Section


def render(title: str, kind: str, sections: Sequence[Section], footer: str) -> str:
    """The page; every text in it is escaped.

    Args:
        title: what it is about.
        kind: what it is; stands behind the title in the browser's.
        footer: one sentence.
    """
    here = files("corank.report")
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    template = environment.from_string(here.joinpath("report.html").read_text(encoding="utf-8"))
    style = here.joinpath("report.css").read_text(encoding="utf-8")
    return template.render(title=title, kind=kind, sections=sections, style=style, footer=footer)
