"""Times in which things happen, and how much of a log each is worth."""

from __future__ import annotations

from dataclasses import dataclass

from corank.logs.marketplace.catalog import DAY
from corank.logs.marketplace.config import MarketplaceConfig


@dataclass(frozen=True)
class Span:
    """A time in which needs arise, or for which requests are planned, in hours since the log began."""

    begin: float
    end: float
    share: float
    """How many arise in it, or are planned for it, relative to the whole log."""

    @staticmethod
    def of_log(config: MarketplaceConfig) -> Span:
        """The log."""
        return Span(0.0, config.days * DAY, 1.0)

    @staticmethod
    def of_needs(config: MarketplaceConfig) -> Span:
        """The log, and some time before it, whose needs may still be open."""
        before, horizon = 2 * config.needs.duration_days * DAY, config.days * DAY
        return Span(-before, horizon, 1 + before / horizon)

    @staticmethod
    def after_log(config: MarketplaceConfig, days: int) -> Span:
        """The days that follow the log."""
        return Span(config.days * DAY, (config.days + days) * DAY, days / config.days)
