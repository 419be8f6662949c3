"""Which rows a figure speaks of: sample spaces (exposed or not) and slices of them (cold, warm, domain)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from corank.errors import CorankError, unknown
from corank.evaluation.arrays import Bools
from corank.evaluation.predictions import Predictions

SPACES = ("exposed", "unexposed", "entire", "all_channels")

NOTES = {
    "exposed": "Rows that were shown, with the labels of their own request: the usual test.",
    "unexposed": "Rows that were not shown. They can hold no label of their own request, so all labels are 0 "
    "and whatever needs a positive is undefined.",
    "entire": "All candidates. Labels come from the request itself alone, so every unexposed row counts as a "
    "negative, whether or not the user would have liked it: the figures favour a model that imitates the "
    "system that chose what to show.",
    "all_channels": "All candidates. Labels are what the user did with the item in any channel within the "
    "attribution window after the request, shown or not: what training may attribute, but never the labels "
    "that it is given. What nobody was shown has hardly any: these figures, too, favour a model that "
    "imitates the system that chose what to show.",
}
"""What a reader must know before comparing figures of a space."""


def space(predictions: Predictions, name: str) -> Predictions:
    """The rows of a sample space.

    Raises:
        CorankError: there is no space of that name, or the predictions lack its labels.
    """
    if name == "entire":
        return predictions
    if name not in SPACES:
        raise unknown("space", name, SPACES)
    if name == "all_channels":
        click, purchase = predictions.anywhere_click, predictions.anywhere_purchase
        if click is None or purchase is None:
            raise CorankError(
                "space 'all_channels': the predictions have no columns 'anywhere_click' and"
                " 'anywhere_purchase'; 'corank evaluate' and 'corank predict' write them"
            )
        return replace(predictions, click=click, purchase=purchase)
    return predictions.take(predictions.exposed == (name == "exposed"))


def spaces_of(predictions: Predictions) -> tuple[str, ...]:
    """The spaces for which predictions have labels: all, or all but `all_channels`."""
    return tuple(name for name in SPACES if name != "all_channels" or predictions.anywhere_click is not None)


def slices(predictions: Predictions) -> dict[str, Bools]:
    """Masks of the rows of each slice; `all` is every row.

    A list is cut to the rows of the slice: the figures of `cold_items` rank cold items against each other.
    By domain only where there are several.
    """
    masks = {
        "all": np.ones(predictions.rows, dtype=np.bool_),
        "warm": ~predictions.cold_item & ~predictions.cold_user,
        "cold_items": predictions.cold_item,
        "cold_users": predictions.cold_user,
    }
    if len(predictions.domains) > 1:
        for code, name in enumerate(predictions.domains):
            masks[f"domain={name}"] = predictions.domain == code
    return masks
