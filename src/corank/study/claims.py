"""The directions of UniScale (arXiv 2603.24226, tables of ablation and scaling) as contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from corank.samples.config import Recipe
from corank.study.conditions import ENDS, STAGED, STAGES, Condition, codesign_condition
from corank.study.config import Budget, StudyConfig
from corank.study.contrasts import Contrast, Expected

ESUIF = ("hhfi+dref", "hhfi+dapga", "hhfi+both", "hhsft")
"""HHFI with parts of it."""


def codesign_claims(config: StudyConfig) -> list[Contrast]:
    """At each size and budget; the fourth where there are two sizes; of bare models if models are named."""
    found = []
    for size in config.sizes:
        for budget in config.budgets:
            found += _at(size, budget) + (_of_bare(size, budget) if config.models else [])
    if len(config.sizes) > 1:
        found += [_with_size(config.sizes, budget) for budget in config.budgets]
    return found


def _at(size: str, budget: Budget) -> list[Contrast]:
    def of(model: str, recipe: Recipe) -> Condition:
        return codesign_condition(model, recipe, size, budget)

    def gap(name: str, claim: str, plus: Condition, minus: Condition, expected: Expected) -> Contrast:
        where = f"{size}, equal {budget}"
        return Contrast(f"{name} ({where})", claim, (plus,), (minus,), expected)

    hhfi, on_es3 = of("hhfi", "exposed"), of("hhfi", "es3")
    found = [
        gap("i", "ES3 without ESUIF is worse than search only", on_es3, hhfi, "below"),
        *(
            gap(f"ii {model}", f"on ES3, {model} is better than hhfi", of(model, "es3"), on_es3, "above")
            for model in ESUIF
        ),
        *(
            gap(
                f"ii both, {one}",
                f"on ES3, both are better than {one} alone",
                of("hhfi+both", "es3"),
                of(one, "es3"),
                "above",
            )
            for one in ("hhfi+dref", "hhfi+dapga")
        ),
        *(
            gap(
                f"ii {model}, ES3",
                f"{model} on ES3 is better than hhfi on search only",
                of(model, "es3"),
                hhfi,
                "above",
            )
            for model in ESUIF
        ),
        gap("iii", "on search only, ESUIF changes nothing", of("hhfi+both", "exposed"), hhfi, "neutral"),
    ]
    lite, esuif = "unimixer_lite", "unimixer_lite+esuif"
    found += [
        gap("lite: i", "the same of UniMixing-Lite", of(lite, "es3"), of(lite, "exposed"), "below"),
        gap("lite: ii", "the same of UniMixing-Lite", of(esuif, "es3"), of(lite, "es3"), "above"),
        gap("lite: ii, ES3", "the same of UniMixing-Lite", of(esuif, "es3"), of(lite, "exposed"), "above"),
        gap("lite: iii", "the same of UniMixing-Lite", of(esuif, "exposed"), of(lite, "exposed"), "neutral"),
        gap(
            "rankmixer: i",
            "the same of RankMixer",
            of("rankmixer", "es3"),
            of("rankmixer", "exposed"),
            "below",
        ),
        gap(
            "whole",
            "HHSFT on ES3 is better than RankMixer on exposed rows",
            of("hhsft", "es3"),
            of("rankmixer", "exposed"),
            "above",
        ),
    ]
    found += [
        gap(
            f"stage {after}",
            f"of {STAGED[0]}: {after} is better than {before}",
            of(STAGED[0], after),
            of(STAGED[0], before),
            "above",
        )
        for before, after in pairwise(STAGES)
    ]
    return found


def _of_bare(size: str, budget: Budget) -> list[Contrast]:
    """What residuals around the parts of ESUIF do, and what the parts do without."""

    def of(model: str, recipe: Recipe) -> Condition:
        return codesign_condition(model, recipe, size, budget)

    where = f"({size}, equal {budget})"
    found = []
    for model, without in (*((one, "hhfi") for one in ESUIF), ("unimixer_lite+esuif", "unimixer_lite")):
        bare, named = f"{model}-bare", "ii" if without == "hhfi" else "lite: ii"
        better = f"on ES3, {bare} is better than {without}"
        found.append(
            Contrast(f"{named} {bare} {where}", better, (of(bare, "es3"),), (of(without, "es3"),), "above")
        )
        for recipe in ENDS:
            better = f"on {recipe}, residuals make {model} better"
            plus, minus = of(model, recipe), of(bare, recipe)
            found.append(Contrast(f"residual {model}, {recipe} {where}", better, (plus,), (minus,), "above"))
    return found


def _with_size(sizes: Sequence[str], budget: Budget) -> Contrast:
    """The gain of es3 at the largest size less that at the smallest."""

    def of(recipe: Recipe, size: str) -> Condition:
        return codesign_condition(STAGED[0], recipe, size, budget)

    small, large = sizes[0], sizes[-1]
    return Contrast(
        f"iv ({small} to {large}, equal {budget})",
        "the gain of ES3 grows with the model",
        (of("es3", large), of("exposed", small)),
        (of("exposed", large), of("es3", small)),
        "above",
    )
