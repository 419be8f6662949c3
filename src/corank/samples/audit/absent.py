"""What an audit cannot tell, and why: a figure that is missing is never missing silently."""

from __future__ import annotations

from corank.samples.audit.conversions import Conversions
from corank.samples.audit.exposure import Exposure
from corank.samples.audit.ledger import Credits
from corank.samples.audit.sizes import Sizes
from corank.samples.audit.skew import GROUPS, Group
from corank.samples.audit.spaces import Spaces
from corank.samples.audit.tables import Source
from corank.samples.config import reaches
from corank.samples.manifest import Manifest


def absent_from_log(
    source: Source, why: str, sizes: Sizes, shown: Exposure, spaces: Spaces, bought: Conversions | None
) -> dict[str, str]:
    """Figure -> the sentence about it."""
    absent = _of_both(source, shown, spaces)
    if why:
        absent["drift"] = (
            f"The requests cannot be cut into training and test ({why}): there are no deciles, no drift and"
            " no blind spot."
        )
    if len([one for one in sizes.domains if one.requests]) == 1:
        absent["sizes"] = "All requests are of one domain: other channels show in events only."
    if bought is None:
        actions = ", ".join(source.config.purchase_actions) or "none"
        absent["conversions"] = (
            f"No event is a purchase (purchase_actions: {actions}): there are no conversions to audit."
        )
    elif bought.early:
        absent["conversions"] = (
            f"Of {bought.early:,} conversions the window reaches back before the log's first search; what led"
            " to them may not be in the log, and the share missed is an upper bound."
        )
    return absent


def absent_from_samples(
    source: Source,
    manifest: Manifest,
    shown: Exposure,
    spaces: Spaces,
    bought: Credits | None,
    skew: tuple[Group, ...],
) -> dict[str, str]:
    """Figure -> the sentence about it."""
    absent = _of_both(source, shown, spaces)
    if bought is None:
        absent["credits"] = "No purchase happened before validation begins: there is none to credit."
    elif not reaches(manifest.recipe, "attributed"):
        absent["credits"] = (
            f"The recipe '{manifest.recipe}' lets a purchase label its own request only: those of other"
            " channels count as credited to nobody, even if a search click came before. The audit of the log"
            " applies the rule of the last search click itself."
        )
    there = {group.group for group in skew}
    missing = [group for group in GROUPS if group not in there]
    if missing:
        absent["skew"] = f"There are no {', no '.join(missing)} among the training samples."
    return absent


def _of_both(source: Source, shown: Exposure, spaces: Spaces) -> dict[str, str]:
    absent: dict[str, str] = {}
    if not shown.positions:
        absent["exposure.positions"] = "No exposed row has a position: there are no click rates by position."
    if not source.priced:
        absent["exposure.price"] = "Candidates have no numeric column 'price': there are no deciles of price."
    elif source.cuts and not shown.price:
        absent["exposure.price"] = "No test candidate has a price: there are no deciles of price."
    if not any(one.space == "unexposed" for one in spaces.rates):
        absent["spaces"] = "There are no unexposed candidates: all figures are of exposed rows."
    if not spaces.purchases_unexposed.of:
        absent["spaces.purchases"] = "No candidate of the last split was bought within the window."
    return absent
