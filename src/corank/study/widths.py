"""The study `widths`: the two widths of HHSFT, and the samples, scaled: the paper's Figure 4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from corank.models.hhsft import SIZES
from corank.samples.config import Recipe
from corank.study.conditions import Condition, same_budget
from corank.study.config import QUICK, Budget, Presets, Size, StudyConfig
from corank.study.contrasts import Contrast

PRESETS: Presets = {
    "quick": QUICK,
    "default": {"sizes": ("xs",)},  # at s four times the widths have 15 times the operations
    "full": {"seeds": 5, "sizes": ("xs", "s"), "budgets": ("steps", "epochs")},
}
Wide = Literal["d_H", "d_G", "both"]
MULTIPLES = (1, 2, 3, 4)


@dataclass(frozen=True)
class Line:
    """What is widened, and on which samples.

    Attributes:
        wide: the width.
        recipe: the samples.
        name: in words.
    """

    wide: Wide
    recipe: Recipe
    name: str

    def at(self, multiple: int, size: str, budget: Budget) -> Condition:
        """A point: so many times the size's widths. At 1x the lines on one recipe share theirs."""
        widths: dict[str, int] = {"d_H": SIZES[size]["hfa"]["width"], "d_G": SIZES[size]["gfa"]["width"]}
        d_H, d_G = (
            width * multiple if self.wide in (name, "both") else width for name, width in widths.items()
        )
        model = f"hhsft {'both' if multiple == 1 else self.wide}"
        settings = (f"hfa.width={d_H}", f"gfa.width={d_G}")
        budget = same_budget(self.recipe, budget)
        return Condition(model, self.recipe, f"{size}x{multiple}", budget, f"hhsft_{size}", settings)

    def over_first(self, multiple: int, size: str, budget: Budget) -> Contrast:
        """A point less HHSFT of 1x on search only: a dot of Figure 4."""
        claim = f"{self.name} at {multiple}x is better than 1x on search only"
        point, first = self.at(multiple, size, budget), BOTH.at(1, size, budget)
        return Contrast(f"{self.name}, {multiple}x", claim, (point,), (first,), "above", size, budget)


D_H, D_G = Line("d_H", "exposed", "d_H"), Line("d_G", "exposed", "d_G")
BOTH, BOTH_ES3 = Line("both", "exposed", "both"), Line("both", "es3", "both + ES3")
LINES = (D_H, D_G, BOTH, BOTH_ES3)


def conditions(config: StudyConfig) -> list[Condition]:
    """All points of the lines, small ones first."""
    found = [line.at(m, size, budget) for size, budget in _each(config) for m in MULTIPLES for line in LINES]
    return list(dict.fromkeys(found))


def claims(config: StudyConfig) -> list[Contrast]:
    """The fifth direction, the gain of es3, and every point of the lines, at every multiple."""
    found = []
    for size, budget in _each(config):
        first, first_es3 = BOTH.at(1, size, budget), BOTH_ES3.at(1, size, budget)
        found.append(BOTH_ES3.over_first(1, size, budget))
        for multiple in MULTIPLES[1:]:
            d_H, d_G, both, es3 = (line.at(multiple, size, budget) for line in LINES)
            for name, claim, plus, minus in (
                ("v d_G, d_H", "d_G beats d_H", (d_G,), (d_H,)),
                ("v both, d_G", "both beat d_G alone", (both,), (d_G,)),
                ("v both, d_H", "both beat d_H alone", (both,), (d_H,)),
                ("iv", "the gain of ES3 grows with the model", (es3, first), (both, first_es3)),
            ):
                name, claim = f"{name}, {multiple}x", f"at {multiple}x {claim}"
                found.append(Contrast(name, claim, plus, minus, "above", size, budget))
            found += [line.over_first(multiple, size, budget) for line in LINES]
    return found


def _each(config: StudyConfig) -> Iterator[tuple[Size, Budget]]:
    return ((size, budget) for size in config.sizes for budget in config.budgets)
