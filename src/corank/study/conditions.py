"""What is compared: a model, at a size, on the samples of a recipe, with a budget of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corank.samples.config import Recipe
from corank.study.config import QUICK, Budget, Presets, StudyConfig

NO_DREF, NO_DAPGA, ONE_HEAD = "esuif.dref=false", "esuif.dapga=false", "esuif.domain_heads=false"
BARE = "esuif.residual=false"
MODELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "rankmixer": ("rankmixer", ()),
    "hhfi": ("hhsft", (NO_DREF, NO_DAPGA, ONE_HEAD)),
    "hhfi+dref": ("hhsft", (NO_DAPGA, ONE_HEAD)),
    "hhfi+dapga": ("hhsft", (NO_DREF, ONE_HEAD)),
    "hhfi+both": ("hhsft", (ONE_HEAD,)),
    "hhsft": ("hhsft", ()),
    "unimixer_lite": ("unimixer_lite", ()),
    "unimixer_lite+esuif": ("unimixer_lite_esuif", ()),
    "hhfi+dref-bare": ("hhsft", (NO_DAPGA, ONE_HEAD, BARE)),
    "hhfi+dapga-bare": ("hhsft", (NO_DREF, ONE_HEAD, BARE)),
    "hhfi+both-bare": ("hhsft", (ONE_HEAD, BARE)),
    "hhsft-bare": ("hhsft", (BARE,)),
    "unimixer_lite+esuif-bare": ("unimixer_lite_esuif", (BARE,)),
}
"""Family in the registry, and what differs from it. `hhsft` is `hhfi+both` with a head for each domain. Bare
ones have no residuals around DREF and DAPGA, as in the published equations; they are compared if named."""
STAGES: tuple[Recipe, ...] = ("exposed", "unexposed", "attributed", "es3")
ENDS: tuple[Recipe, ...] = ("exposed", "es3")
STAGED = ("hhsft", "hhsft-bare")
"""The models that are trained on every stage."""
CODESIGN_PRESETS: Presets = {
    "quick": QUICK,
    "default": {},
    "full": {"seeds": 5, "sizes": ("xs", "s"), "budgets": ("steps", "epochs")},
}


@dataclass(frozen=True)
class Condition:
    """One of the things compared.

    Attributes:
        model: its name in the study.
        recipe: of the training samples.
        size: of the model: a size of the registry, or a multiple of one.
        budget: how long it is trained.
        registered: the model's name in the registry.
        settings: of the model.
    """

    model: str
    recipe: Recipe
    size: str
    budget: Budget
    registered: str
    settings: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A name no other condition of the study has."""
        return f"{self.model}_{self.size}-{self.recipe}-{self.budget}"


def codesign_condition(model: str, recipe: Recipe, size: str, budget: Budget) -> Condition:
    """A condition of the study of samples and models.

    Of es3 both budgets are the same, so there is one condition of it.
    """
    family, settings = MODELS[model]
    return Condition(model, recipe, size, same_budget(recipe, budget), f"{family}_{size}", settings)


def same_budget(recipe: Recipe, budget: Budget) -> Budget:
    """The budget by which a condition is known: of es3 both are the same."""
    return "steps" if recipe == "es3" else budget


def codesign_conditions(config: StudyConfig) -> list[Condition]:
    """All that `config.models` may choose from, in the order of running; if it is empty, all but bare."""
    models = [name for name in MODELS if config.models or not name.endswith("-bare")]
    found = [
        codesign_condition(model, recipe, size, budget)
        for size in config.sizes
        for budget in config.budgets
        for model in models
        for recipe in (STAGES if model in STAGED else ENDS)
    ]
    return list(dict.fromkeys(found))


def recipes_of(conditions: Sequence[Condition]) -> list[Recipe]:
    """The recipes that some condition needs, and es3, by which budgets are measured."""
    return [recipe for recipe in STAGES if recipe == "es3" or any(c.recipe == recipe for c in conditions)]
