"""What a build and an audit of samples choose alike: requests, labels, the window, the splits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from corank.config import Config

Actions = Annotated[tuple[str, ...], Field(min_length=1)]


class Selection(Config):
    """Which requests count, which actions label, within which window, and where the splits lie.

    Attributes:
        domains: requests of these domains become samples.
        click_actions: actions that label a sample as clicked.
        purchase_actions: actions that label a sample as purchased, which implies clicked.
        valid, test: shares of the requests, by time, in the two later splits.
        valid_from, test_from: explicit starts of the two later splits, in place of the shares; times
            without a zone are UTC.
        attribution_hours: an event elsewhere labels a sample of a request at most so long before it; also the
            window of `anywhere_click` and `anywhere_purchase`.
    """

    domains: Actions = ("search",)
    click_actions: Actions = ("click",)
    purchase_actions: tuple[str, ...] = ("purchase",)
    valid: float = Field(default=0.1, gt=0, lt=1)
    test: float = Field(default=0.2, gt=0, lt=1)
    valid_from: datetime | None = None
    test_from: datetime | None = None
    attribution_hours: float = Field(default=24.0, ge=1e-9, le=1e5)

    @field_validator("valid_from", "test_from")
    @classmethod
    def _in_utc(cls, time: datetime | None) -> datetime | None:
        if time is None:
            return None
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)

    @field_validator("domains", "click_actions", "purchase_actions")
    @classmethod
    def _selected_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        refuse_repeated(names)
        return names

    @model_validator(mode="after")
    def _splits_and_labels(self) -> Self:
        if (self.valid_from is None) != (self.test_from is None):
            raise ValueError("valid_from and test_from go together: give both or neither")
        if self.valid_from and self.test_from and self.valid_from >= self.test_from:
            raise ValueError(
                f"valid_from ({self.valid_from.isoformat()}) must be before"
                f" test_from ({self.test_from.isoformat()})"
            )
        if self.valid + self.test >= 1:
            raise ValueError(f"valid ({self.valid}) and test ({self.test}) leave nothing to train on")
        refuse_common(self.click_actions, self.purchase_actions)
        return self

    @property
    def label_actions(self) -> tuple[str, ...]:
        """All actions that label the samples of their own request."""
        return self.click_actions + self.purchase_actions

    @property
    def window(self) -> int:
        """The window of attribution, in microseconds."""
        return round(self.attribution_hours * 3.6e9)


def refuse_repeated(names: Iterable[str]) -> None:
    """Stop if a name is there twice.

    Raises:
        ValueError: one is.
    """
    seen = set[str]()
    for name in names:
        if name in seen:
            raise ValueError(f"'{name}' is named twice")
        seen.add(name)


def refuse_common(clicking: Iterable[str], buying: Iterable[str], prefix: str = "") -> None:
    """Stop if an action is of both kinds.

    Raises:
        ValueError: one is.
    """
    both = set(clicking) & set(buying)
    if both:
        raise ValueError(
            f"action '{min(both)}' is among both {prefix}click_actions and {prefix}purchase_actions"
        )
