"""Which rows a figure speaks of: sample spaces (exposed or not) and slices of them (cold, warm, domain)."""

from __future__ import annotations

import numpy as np

from corank.errors import unknown
from corank.evaluation.arrays import Bools
from corank.evaluation.predictions import Predictions

SPACES = ("exposed", "unexposed", "entire")

NOTES = {
    "exposed": "Rows that were shown, with the labels of their own request: the usual test.",
    "unexposed": "Rows that were not shown. They can hold no label of their own request, so all labels are 0 "
    "and whatever needs a positive is undefined.",
    "entire": "All candidates. Labels come from the request itself alone, so every unexposed row counts as a "
    "negative, whether or not the user would have liked it: the figures favour a model that imitates the "
    "system that chose what to show.",
}
"""What a reader must know before comparing figures of a space."""


def space(predictions: Predictions, name: str) -> Predictions:
    """The rows of a sample space.

    Raises:
        CorankError: there is no space of that name.
    """
    if name == "entire":
        return predictions
    if name not in SPACES:
        raise unknown("space", name, SPACES)
    return predictions.take(predictions.exposed == (name == "exposed"))


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
