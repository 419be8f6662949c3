"""Every parameter of the marketplace."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from corank.config import Config
from corank.errors import unknown
from corank.logs.marketplace.presets import PRESETS, SIZES


class CatalogConfig(Config):
    """The items: how many, how alike, how popular, how priced, and when they are for sale."""

    items: int = Field(default=10_000, ge=200)
    brands: int = Field(default=300, ge=4)
    latent_dims: int = Field(default=8, ge=2, le=16)
    """Dimensions of style and function within a category; each has two adjectives."""
    embedding_dims: int = Field(default=16, ge=4)
    embedding_noise: float = Field(default=0.35, ge=0)
    """Standard deviation of what the embedding gets wrong, per dimension (the signal has about 1.3)."""
    zipf_exponent: float = Field(default=0.8, ge=0)
    """Popularity of the item of rank r is proportional to r ** -zipf_exponent."""
    rating_noise: float = Field(default=0.6, ge=0)
    """Standard deviation of the rating shown around the true quality (which has 1)."""
    price_median: float = Field(default=30.0, gt=0)
    price_spread_between: float = Field(default=0.9, ge=0)
    """Standard deviation of log price between categories."""
    price_spread_within: float = Field(default=0.5, ge=0)
    """Standard deviation of log price within a category."""
    promotion_rate: float = Field(default=0.02, ge=0, le=1)
    """Chance that a promotion of an item starts on a given day; it lasts three days, 10 to 30 % off."""
    born_share: float = Field(default=0.08, ge=0, le=1)
    """Share of unlimited items first listed after the log begins."""
    limited_share: float = Field(default=0.0, ge=0, le=1)
    """Share of limited editions, which come and go."""
    limited_days: float = Field(default=25.0, gt=0)
    """Mean days a limited edition stays for sale."""


class PopulationConfig(Config):
    """The users: how active, how constant, how sensitive to price."""

    searches_per_user: float = Field(default=13.0, ge=1)
    """Searches the mean user would make; users = requests / searches_per_user."""
    activity_spread: float = Field(default=0.9, ge=0, le=2)
    """Standard deviation of log activity; activity is cut at eight times the mean."""
    taste_constancy: float = Field(default=0.5, ge=0, le=1)
    """Share of the variance of taste that is common to all departments."""
    taste_drift: float = Field(default=0.4, ge=0)
    """How far taste moves over the log, in standard deviations."""
    interest_concentration: float = Field(default=0.15, gt=0)
    """Dirichlet concentration of a user's interest over categories; small is narrow."""
    wealth_spread: float = Field(default=0.25, ge=0)
    """Standard deviation of a user's shift of log budgets."""
    price_sensitivity: float = Field(default=0.8, ge=0)
    """Mean weight of log price against the budget in the utility."""


class NeedsConfig(Config):
    """Needs and the journeys they cause: sessions over hours or weeks, in several domains."""

    duration_days: float = Field(default=0.9, gt=0)
    """Median time from a need's first session to when it is given up."""
    duration_spread: float = Field(default=1.1, ge=0)
    """Standard deviation of the log of that time."""
    sessions_mean: float = Field(default=2.0, ge=1)
    """Mean sessions a need causes if it is never satisfied."""
    searches_per_session: float = Field(default=1.7, ge=1)
    feed_share: float = Field(default=0.75, ge=0, le=1)
    """Chance that a session about a need goes on in the feed."""
    shop_share: float = Field(default=0.3, ge=0, le=1)
    """Chance that it visits a shop's page."""
    browse_per_search: float = Field(default=1.1, ge=0)
    """Feed requests without a present need, per search request."""
    pages_per_browse: float = Field(default=2.0, ge=1)
    taste_weight: float = Field(default=0.6, ge=0, le=1)
    """Correlation of what is needed with the user's lasting taste."""
    brand_share: float = Field(default=0.35, ge=0, le=1)
    """Share of needs with a brand in mind."""
    vague_share: float = Field(default=0.12, ge=0, le=1)
    """Share of queries that name the department only."""
    adjective_share: float = Field(default=0.4, ge=0, le=1)
    """Share of queries with an adjective; a brand in mind is named in 60 %."""
    budget_spread: float = Field(default=0.35, ge=0)
    """Standard deviation of a need's log budget."""


class RetrievalConfig(Config):
    """What the site retrieves and how its (imperfect) logging ranker orders it."""

    search_candidates: int = Field(default=60, ge=1)
    feed_candidates: int = Field(default=20, ge=1)
    shop_candidates: int = Field(default=20, ge=1)
    exposed: int = Field(default=10, ge=1, le=100)
    category_weight: float = 2.0
    brand_weight: float = 1.2
    adjective_weight: float = 0.7
    popularity_weight: float = 0.3
    noise: float = Field(default=0.4, ge=0)
    """Standard deviation of the retrieval score's noise, drawn anew for every request and item."""
    blend_noise: float = Field(default=0.8, ge=0)
    """The same of the feed's blend of several sources, which leaves room for discovery."""
    ranker_popularity: float = 0.25
    ranker_rating: float = 0.3
    """Weight of the rating shown."""
    ranker_taste: float = 0.6
    """Weight of the site's guess of the user's taste."""
    ranker_taste_noise: float = Field(default=0.8, ge=0)
    """Standard deviation of the error of that guess (taste itself has 1)."""
    ranker_noise: float = Field(default=0.3, ge=0)


class BehaviourConfig(Config):
    """How users examine, click and buy."""

    examination_search: float = Field(default=0.75, ge=0)
    """P(examined at position k) = k ** -(this x device x patience)."""
    examination_feed: float = Field(default=0.5, ge=0)
    examination_shop: float = Field(default=0.55, ge=0)
    patience_spread: float = Field(default=0.2, ge=0)
    click_base: float = -5.9
    """Log odds of a click on an examined item that has nothing to do with the need."""
    match_weight: float = 4.0
    """For an item of the needed category (`sibling_match` of it for one of the same department)."""
    sibling_match: float = Field(default=0.3, ge=0, le=1)
    fit_weight: float = 0.9
    """For the fit of the item's style to what is needed (fit is standard normal over random items)."""
    rating_weight: float = 0.5
    brand_bonus: float = 0.9
    """For the brand in mind."""
    seen_bonus: float = 0.1
    """For an item the user clicked on before and remembers."""
    feed_penalty: float = -0.3
    """For a need met while browsing instead of searching."""
    browse_base: float = -4.4
    """Log odds of a click for taste alone, without a need."""
    mood_spread: float = Field(default=0.3, ge=0)
    """Standard deviation of a request-wide shift of the log odds of a click."""
    buy_base: float = -3.3
    buy_utility: float = 0.5
    """Weight in the log odds of buying (given a click) of the click's utility above its base."""
    buy_quality: float = 0.8
    """Weight of the quality found out only after the click (true quality less the rating)."""
    browse_buy_penalty: float = -1.0
    settled_penalty: float = -2.0
    """On the log odds of a click for a need that is already settled."""
    buy_now_share: float = Field(default=0.5, ge=0, le=1)
    """Share of purchases made in the flow of the request; the others come later, directly."""
    later_hours: float = Field(default=16.0, gt=0)
    """Mean hours until a later purchase or a direct return to an item."""
    cart_share: float = Field(default=0.7, ge=0, le=1)
    """Share of purchases preceded by an entry into the cart."""
    cart_only: float = Field(default=0.05, ge=0, le=1)
    """Chance of an entry into the cart that is never bought."""
    direct_return: float = Field(default=0.06, ge=0, le=1)
    """Chance that a clicked item is visited again directly, without a request."""


class MarketplaceConfig(Config):
    """The marketplace; `requests` is the expected number of search requests before needs are settled."""

    vocabulary: Literal["market", "boutique"] = "market"
    start: date = date(2025, 3, 3)
    days: int = Field(default=14, ge=2, le=1000)
    requests: int = Field(default=20_000, ge=100)
    catalog: CatalogConfig = CatalogConfig()
    population: PopulationConfig = PopulationConfig()
    needs: NeedsConfig = NeedsConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    behaviour: BehaviourConfig = BehaviourConfig()

    @property
    def users(self) -> int:
        """Number of users."""
        return max(10, round(self.requests / self.population.searches_per_user))

    @classmethod
    def preset(cls, preset: str = "market", size: str = "s", settings: Iterable[str] = ()) -> Self:
        """A preset at a size, with `a.b=c` settings applied last.

        Raises:
            CorankError: the preset or size is unknown, or a setting does not fit.
        """
        if preset not in PRESETS:
            raise unknown("preset", preset, PRESETS)
        if size not in SIZES[preset]:
            raise unknown("size", size, SIZES[preset])
        return cls.parse(PRESETS[preset]).with_settings((*SIZES[preset][size], *settings))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        least = min(
            self.retrieval.search_candidates, self.retrieval.feed_candidates, self.retrieval.shop_candidates
        )
        if self.retrieval.exposed > least:
            raise ValueError(
                f"retrieval.exposed = {self.retrieval.exposed} exceeds a candidate list of {least}"
            )
        return self
