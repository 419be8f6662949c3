"""What a samples folder is built with: every choice of the steps, with its default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from corank.errors import CorankError, unknown
from corank.samples.selection import Actions, Selection, refuse_common, refuse_repeated

Recipe = Literal["exposed", "unexposed", "attributed", "es3"]
"""How far to go, each with more than the one before: exposed rows only; unexposed items of the same requests;
with labels attributed from other channels; with pseudo requests made of other domains' clicks."""

RECIPES: tuple[str, ...] = get_args(Recipe)
"""The names of the recipes."""

Score = Literal["lexical", "embedding"]
"""How texts or items are compared: by their words, or by the cosine of their embeddings."""

QueryLevel = Literal["own", "cooccurring", "nearest"]
"""Where the query of a pseudo request comes from: the user's own earlier query that led to the item, the one
that led to it most often, or the one nearest to its words or embedding."""


class SampleConfig(Selection):
    """The choices of the sample steps.

    Attributes:
        domains, click_actions, purchase_actions, valid, test, valid_from, test_from, attribution_hours: as in
            `Selection`.
        unexposed_per_exposed: unexposed items drawn for training, per exposed item of the request
            (recipe `unexposed`).
        unexposed_weight: weight of those drawn items that stay without a label.
        unexposed_domain: the drawn items of a request make a list of their own, of this domain; they stay in
            the request's list if null.
        history_actions: actions kept in the histories; all if null.
        touch_actions: actions with counts of their own (`user_touches_ACTION`); all if null.
        rank_columns: numeric candidate columns that are ranked within the list; `price`, where there is
            one, if null.
        relative_columns: numeric candidate columns of which the distance to the list's item that the user
            touched last is taken; all if null.
        exposure_counts: count earlier exposures (`user_shown`, `user_since_shown`, `item_shown`).
        duplicate_events: refuse a log with rows that are the same event, or keep (count) them.
        attributed_click_actions, attributed_purchase_actions: actions that count as clicks and purchases when
            they are attributed or searchified; `click_actions` and `purchase_actions` if null.
        relevance: how relevant an item is to a query is told; by embeddings where items and requests have
            them, else by words, if null.
        relevance_above: an event labels only samples whose query's relevance is above; unknown relevance
            never stands in the way.
        attributed_weight, searchified_weight: weights of samples whose label came that way.
        item_text: columns of items whose words describe them; every text column if null.
        pseudo_domains: domains whose clicks become pseudo requests; all that are not in `domains` if null.
        pseudo_negatives: negatives of a pseudo request, at most.
        similarity: how alike two items are; by embeddings where items have them, else by words, if null.
        similar_above: a negative of a pseudo request is more similar to the clicked item than this.
        query_levels: the ways to a pseudo request's query, in the order in which they are tried.
        nearest_queries: so many of the most frequent queries are candidates for the nearest one.
        row_group_samples: samples in a Parquet row group, about.
        file_samples: samples in a Parquet file, about.

    >>> SampleConfig().with_settings(["test_from=2024-03-01"])
    Traceback (most recent call last):
    ...
    corank.errors.CorankError: --set: valid_from and test_from go together: give both or neither
    """

    unexposed_per_exposed: float = Field(default=2.0, ge=0, le=1000)
    unexposed_weight: float = Field(default=1.0, gt=0)
    unexposed_domain: str | None = Field(default=None, min_length=1)
    history_actions: Actions | None = None
    touch_actions: tuple[str, ...] | None = None
    rank_columns: tuple[str, ...] | None = None
    relative_columns: tuple[str, ...] | None = None
    exposure_counts: bool = True
    duplicate_events: Literal["refuse", "keep"] = "refuse"
    attributed_click_actions: Actions | None = None
    attributed_purchase_actions: tuple[str, ...] | None = None
    relevance: Score | Literal["none"] | None = None
    relevance_above: float = 0.0
    attributed_weight: float = Field(default=1.0, gt=0)
    searchified_weight: float = Field(default=1.0, gt=0)
    item_text: Actions | None = None
    pseudo_domains: Actions | None = None
    pseudo_negatives: int = Field(default=4, ge=1, le=1000)
    similarity: Score | None = None
    similar_above: float = 0.2
    query_levels: Annotated[tuple[QueryLevel, ...], Field(min_length=1)] = ("own", "cooccurring", "nearest")
    nearest_queries: int = Field(default=10_000, ge=1)
    row_group_samples: int = Field(default=1 << 16, ge=1)
    file_samples: int = Field(default=1 << 20, ge=1)

    @field_validator(
        "history_actions",
        "touch_actions",
        "rank_columns",
        "relative_columns",
        "attributed_click_actions",
        "attributed_purchase_actions",
        "item_text",
        "pseudo_domains",
        "query_levels",
    )
    @classmethod
    def _named_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        refuse_repeated(names or ())
        return names

    @model_validator(mode="after")
    def _of_other_channels(self) -> Self:
        refuse_common(*self.free_actions, prefix="attributed_")
        both = set(self.domains) & set(self.pseudo_domains or ())
        if both:
            raise ValueError(f"domain '{min(both)}' is among both domains and pseudo_domains")
        return self

    @property
    def free_actions(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Actions that count as clicks, and as purchases, away from their own request."""
        clicks, purchases = self.attributed_click_actions, self.attributed_purchase_actions
        return (
            self.click_actions if clicks is None else clicks,
            self.purchase_actions if purchases is None else purchases,
        )


def reaches(recipe: Recipe, stage: Recipe) -> bool:
    """Whether a recipe goes as far as another."""
    return RECIPES.index(recipe) >= RECIPES.index(stage)


def check_recipe(name: str) -> Recipe:
    """The recipe called `name`.

    Raises:
        CorankError: there is none.
    """
    recipes: tuple[Recipe, ...] = get_args(Recipe)
    for recipe in recipes:
        if recipe == name:
            return recipe
    raise unknown("recipe", name, RECIPES)


def resolve(settings: Sequence[str]) -> SampleConfig:
    """The default configuration with settings applied.

    Raises:
        CorankError: a setting is malformed, names no key or does not fit.
    """
    if isinstance(settings, str):
        raise CorankError(f"settings: expected a list of 'key=value', found the text '{settings}'")
    return SampleConfig().with_settings(settings)
