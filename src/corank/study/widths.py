"""The study `widths`: the two widths of HHSFT, and the samples, scaled: the paper's Figure 4."""

from __future__ import annotations

from typing import Literal

from corank.models.hhsft import SIZES
from corank.samples.config import Recipe
from corank.study.conditions import Condition
from corank.study.config import StudyConfig
from corank.study.contrasts import Contrast

Line = Literal["d_H", "d_G", "both"]
LINES: tuple[tuple[Line, Recipe], ...] = (
    ("d_H", "exposed"),
    ("d_G", "exposed"),
    ("both", "exposed"),
    ("both", "es3"),
)
"""What is widened, and on which samples."""
MULTIPLES = (1, 2, 3, 4)


def conditions(config: StudyConfig) -> list[Condition]:
    """All points of the lines, small ones first; at 1x the lines on exposed samples share theirs."""
    found = [
        condition(line, recipe, multiple, size)
        for size in config.sizes
        for multiple in MULTIPLES
        for line, recipe in LINES
    ]
    return list(dict.fromkeys(found))


def condition(line: Line, recipe: Recipe, multiple: int, size: str) -> Condition:
    """A point of a line."""
    widths: dict[str, int] = {"d_H": SIZES[size]["hfa"]["width"], "d_G": SIZES[size]["gfa"]["width"]}
    wide = {name: width * multiple if line in (name, "both") else width for name, width in widths.items()}
    settings = (f"hfa.width={wide['d_H']}", f"gfa.width={wide['d_G']}")
    name: Line = "both" if multiple == 1 else line
    return Condition(f"hhsft {name}", recipe, f"{size}x{multiple}", "steps", f"hhsft_{size}", settings)


def claims(config: StudyConfig) -> list[Contrast]:
    """The fifth direction and the gain of es3, at every multiple above one."""
    found = []
    for size in config.sizes:
        for multiple in MULTIPLES[1:]:
            where = f"({size}, {multiple}x)"
            d_H, d_G, both, es3 = (condition(*line, multiple, size) for line in LINES)
            first, first_es3 = (condition("both", recipe, 1, size) for recipe in ("exposed", "es3"))
            found += [
                Contrast(f"v d_G, d_H {where}", "d_G beats d_H", (d_G,), (d_H,), "above"),
                Contrast(f"v both, d_G {where}", "both beat d_G alone", (both,), (d_G,), "above"),
                Contrast(f"v both, d_H {where}", "both beat d_H alone", (both,), (d_H,), "above"),
                Contrast(
                    f"both, 1x {where}", "a wider HHSFT is better on search only", (both,), (first,), "above"
                ),
                Contrast(
                    f"both + ES3, 1x {where}", "a wider HHSFT is better on ES3", (es3,), (first_es3,), "above"
                ),
                Contrast(
                    f"iv {where}",
                    "the gain of ES3 grows with the model",
                    (es3, first),
                    (both, first_es3),
                    "above",
                ),
            ]
    return found
