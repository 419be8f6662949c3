"""The samples of the study of recipes: what is built, and what must be the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corank import verbs
from corank.files import fingerprint
from corank.progress import reporter
from corank.samples import read_manifest
from trivago_widened import Widening, widen

WEAK = ("interaction_image",)
STRONG = ("interaction_info", "interaction_rating", "interaction_deals", "search_item")


@dataclass(frozen=True)
class Samples:
    """A store: its log, recipe and settings, and the store that its training split must equal."""

    log: str
    recipe: str
    settings: tuple[str, ...] = ()
    same_as: str | None = None


def attributed(weight: float = 1, actions: tuple[str, ...] = WEAK + STRONG) -> tuple[str, ...]:
    """Settings that attribute actions besides clicks.

    The query is a destination and the hotels of this sample of the log have no text, so that relevance is
    unknown and no gate ever closes; a hotel of the list is one of the destination anyway.
    """
    named = ", ".join(("click", *actions))
    return (f"attributed_click_actions=[{named}]", "relevance=none", f"attributed_weight={weight}")


ALL = ("unexposed_per_exposed=25",)  # the widening says how many there are
LOGS = {
    "widened": Widening(),
    "widened_touched": Widening(touched=True),
    "widened_unplaced": Widening(placed=False),
    "widened_bare": Widening(placed=False, priced=False),
}
SAMPLES = {
    "exposed": Samples("logs", "exposed"),
    **{f"attributed_{weight}": Samples("logs", "attributed", attributed(weight)) for weight in (1, 0.3, 0.1)},
    "attributed_strong": Samples("logs", "attributed", attributed(actions=STRONG)),
    "unexposed": Samples("widened", "unexposed", ALL),
    "unexposed_touched": Samples("widened_touched", "unexposed", ALL),
    "unexposed_unplaced": Samples("widened_unplaced", "unexposed", ALL),
    "unexposed_bare": Samples("widened_bare", "unexposed", ALL),
    **{
        f"both_{weight}": Samples("widened", "attributed", ALL + attributed(weight))
        for weight in (1, 0.3, 0.1)
    },
    "unexposed_of_the_log": Samples("logs", "unexposed", same_as="exposed"),
    "attributed_lexical": Samples(
        "logs", "attributed", (*attributed()[:1], "relevance=lexical"), same_as="attributed_1"
    ),
    "es3": Samples("logs", "es3", attributed(), same_as="attributed_1"),
}
"""Those with `same_as` are built to show that they bring nothing, and not trained on."""


def build(work: Path) -> None:
    """Build the stores that are not there yet, and check what must be the same.

    Raises:
        ValueError: it is not.
    """
    stores = work / "samples"
    for name, how in SAMPLES.items():
        if not (work / how.log).exists():
            until = read_manifest(stores / "exposed").valid_from
            widen(work / "logs", work / how.log, until, LOGS[how.log])
            verbs.check(work / how.log, progress=reporter()).raise_if_broken()
        if not (stores / name).exists():
            verbs.samples(
                work / how.log, stores / name, how.recipe, settings=how.settings, progress=reporter()
            )
        must = {"valid": "exposed", "test": "exposed"} | ({"train": how.same_as} if how.same_as else {})
        for split, other in must.items():
            if fingerprint(stores / name / split) != fingerprint(stores / other / split):
                raise ValueError(f"{split} of {name} is not that of {other}, byte for byte")
