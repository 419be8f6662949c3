"""The directions of UniScale (arXiv 2603.24226, tables of ablation and scaling) as contrasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from corank.samples.config import Recipe
from corank.study.conditions import ENDS, STAGED, STAGES, Condition, codesign_condition
from corank.study.config import Budget, StudyConfig
from corank.study.contrasts import Contrast, Expected

End = tuple[str, Recipe]
"""A model and what it is trained on."""


class Pair(NamedTuple):
    """A claim that one condition less another lies on one side of zero, at each size and budget."""

    name: str
    claim: str
    plus: End
    minus: End
    expected: Expected


ESUIF = {
    "hhfi+dref": "DREF",
    "hhfi+dapga": "DAPGA",
    "hhfi+both": "DREF and DAPGA",
    "hhsft": "all of HHSFT",
}
"""HHFI with parts of it, and how those are called."""
HHFI, LITE, LITE_ESUIF = "hhfi", "unimixer_lite", "unimixer_lite+esuif"
PAIRS = (
    Pair("i", "HHFI is worse trained on ES3 than on search only", (HHFI, "es3"), (HHFI, "exposed"), "below"),
    *(
        Pair(f"ii {model}", f"trained on ES3, HHFI gains by {part}", (model, "es3"), (HHFI, "es3"), "above")
        for model, part in ESUIF.items()
    ),
    *(
        Pair(
            f"ii both, {one}",
            f"trained on ES3, both are better than {ESUIF[one]} alone",
            ("hhfi+both", "es3"),
            (one, "es3"),
            "above",
        )
        for one in ("hhfi+dref", "hhfi+dapga")
    ),
    Pair(
        "ii hhsft, both",
        "trained on ES3, both gain by a head a domain",
        ("hhsft", "es3"),
        ("hhfi+both", "es3"),
        "above",
    ),
    *(
        Pair(
            f"ii {model}, ES3",
            f"HHFI with {part}, trained on ES3, is better than HHFI trained on search only",
            (model, "es3"),
            (HHFI, "exposed"),
            "above",
        )
        for model, part in ESUIF.items()
    ),
    Pair(
        "iii",
        "trained on search only, DREF and DAPGA change nothing",
        ("hhfi+both", "exposed"),
        (HHFI, "exposed"),
        "neutral",
    ),
    Pair(
        "lite: i",
        "UniMixer-Lite is worse trained on ES3 than on search only",
        (LITE, "es3"),
        (LITE, "exposed"),
        "below",
    ),
    Pair(
        "lite: ii",
        "trained on ES3, UniMixer-Lite gains by ESUIF and a head a domain",
        (LITE_ESUIF, "es3"),
        (LITE, "es3"),
        "above",
    ),
    Pair(
        "lite: ii, ES3",
        "with ESUIF and a head a domain, UniMixer-Lite on ES3 is better than without on search only",
        (LITE_ESUIF, "es3"),
        (LITE, "exposed"),
        "above",
    ),
    Pair(
        "lite: iii",
        "trained on search only, ESUIF and a head a domain change nothing for UniMixer-Lite",
        (LITE_ESUIF, "exposed"),
        (LITE, "exposed"),
        "neutral",
    ),
    Pair(
        "rankmixer: i",
        "RankMixer is worse trained on ES3 than on search only",
        ("rankmixer", "es3"),
        ("rankmixer", "exposed"),
        "below",
    ),
    Pair(
        "whole",
        "HHSFT trained on ES3 is better than RankMixer trained on search only",
        ("hhsft", "es3"),
        ("rankmixer", "exposed"),
        "above",
    ),
    *(
        Pair(
            f"stage {after}",
            f"HHSFT is better trained on {after} than on {before}",
            (STAGED[0], after),
            (STAGED[0], before),
            "above",
        )
        for before, after in pairwise(STAGES)
    ),
)


def _bare() -> Iterator[Pair]:
    """What residuals around the parts of ESUIF do, and what the parts do without."""
    for model, without in (*((one, HHFI) for one in ESUIF), (LITE_ESUIF, LITE)):
        bare, name = f"{model}-bare", "ii" if without == HHFI else "lite: ii"
        claim = f"trained on ES3, {bare} is better than {without}"
        yield Pair(f"{name} {bare}", claim, (bare, "es3"), (without, "es3"), "above")
        for recipe in ENDS:
            claim = f"trained on {recipe}, residuals make {model} better"
            yield Pair(f"residual {model}, {recipe}", claim, (model, recipe), (bare, recipe), "above")


BARE_PAIRS = tuple(_bare())


def codesign_claims(config: StudyConfig) -> list[Contrast]:
    """At each size and budget; the fourth where there are two sizes; of bare models if models are named."""
    pairs = PAIRS + BARE_PAIRS if config.models else PAIRS
    found = [_at(pair, size, budget) for size in config.sizes for budget in config.budgets for pair in pairs]
    if len(config.sizes) > 1:
        found += [_with_size(config.sizes, budget) for budget in config.budgets]
    return found


def _at(pair: Pair, size: str, budget: Budget) -> Contrast:
    plus, minus = (codesign_condition(*end, size, budget) for end in (pair.plus, pair.minus))
    return Contrast(pair.name, pair.claim, (plus,), (minus,), pair.expected, size, budget)


def _with_size(sizes: Sequence[str], budget: Budget) -> Contrast:
    """The gain of es3 at the largest size less that at the smallest."""

    def of(recipe: Recipe, size: str) -> Condition:
        return codesign_condition(STAGED[0], recipe, size, budget)

    small, large = sizes[0], sizes[-1]
    return Contrast(
        "iv",
        f"what HHSFT gains by ES3 grows from {small} to {large}",
        (of("es3", large), of("exposed", small)),
        (of("exposed", large), of("es3", small)),
        "above",
        large,
        budget,
    )
