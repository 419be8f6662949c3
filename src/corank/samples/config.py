"""What a samples folder is built with: every choice of the steps, with its default."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from corank.config import Config
from corank.errors import CorankError, unknown

Recipe = Literal["exposed", "unexposed"]
"""How far to go: exposed rows only, or with unexposed items of the same requests added."""

RECIPES: tuple[str, ...] = get_args(Recipe)
"""The names of the recipes."""

Actions = Annotated[tuple[str, ...], Field(min_length=1)]


class SampleConfig(Config):
    """The choices of the sample steps.

    Attributes:
        domains: requests of these domains become samples.
        unexposed_per_exposed: unexposed items drawn for training, per exposed item of the request
            (recipe `unexposed`).
        click_actions: actions that label a sample as clicked.
        purchase_actions: actions that label a sample as purchased, which implies clicked.
        valid, test: shares of the requests, by time, in the two later splits.
        valid_from, test_from: explicit starts of the two later splits, in place of the shares; times
            without a zone are UTC.
        history_actions: actions kept in the histories; all if null.
        touch_actions: actions with counts of their own (`user_touches_ACTION`); all if null.
        rank_columns: numeric candidate columns that are ranked within the list; `price`, where there is
            one, if null.
        relative_columns: numeric candidate columns of which the distance to the list's item that the user
            touched last is taken; all if null.
        exposure_counts: count earlier exposures (`user_shown`, `user_since_shown`, `item_shown`).
        row_group_samples: samples in a Parquet row group, about.
        file_samples: samples in a Parquet file, about.

    >>> SampleConfig().with_settings(["test_from=2024-03-01"])
    Traceback (most recent call last):
    ...
    corank.errors.CorankError: --set: valid_from and test_from go together: give both or neither
    """

    domains: Actions = ("search",)
    unexposed_per_exposed: float = Field(default=2.0, ge=0, le=1000)
    click_actions: Actions = ("click",)
    purchase_actions: tuple[str, ...] = ("purchase",)
    valid: float = Field(default=0.1, gt=0, lt=1)
    test: float = Field(default=0.2, gt=0, lt=1)
    valid_from: datetime | None = None
    test_from: datetime | None = None
    history_actions: Actions | None = None
    touch_actions: tuple[str, ...] | None = None
    rank_columns: tuple[str, ...] | None = None
    relative_columns: tuple[str, ...] | None = None
    exposure_counts: bool = True
    row_group_samples: int = Field(default=1 << 16, ge=1)
    file_samples: int = Field(default=1 << 20, ge=1)

    @field_validator("valid_from", "test_from")
    @classmethod
    def _in_utc(cls, time: datetime | None) -> datetime | None:
        if time is None:
            return None
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)

    @field_validator(
        "domains", "click_actions", "purchase_actions", "history_actions", "touch_actions", "rank_columns"
    )
    @classmethod
    def _named_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in names or ():
            if (names or ()).count(name) > 1:
                raise ValueError(f"'{name}' is named twice")
        return names

    @model_validator(mode="after")
    def _consistent(self) -> SampleConfig:
        if (self.valid_from is None) != (self.test_from is None):
            raise ValueError("valid_from and test_from go together: give both or neither")
        if self.valid_from and self.test_from and self.valid_from >= self.test_from:
            raise ValueError(
                f"valid_from ({self.valid_from.isoformat()}) must be before"
                f" test_from ({self.test_from.isoformat()})"
            )
        if self.valid + self.test >= 1:
            raise ValueError(f"valid ({self.valid}) and test ({self.test}) leave nothing to train on")
        both = set(self.click_actions) & set(self.purchase_actions)
        if both:
            raise ValueError(f"action '{min(both)}' is among both click_actions and purchase_actions")
        return self

    @property
    def label_actions(self) -> tuple[str, ...]:
        """All actions that label."""
        return self.click_actions + self.purchase_actions


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
