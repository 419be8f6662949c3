"""The items: what they are, how good, how popular, when for sale and at what price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.config import CatalogConfig, MarketplaceConfig
from corank.logs.marketplace.vocabulary import Vocabulary, vocabulary

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
DAY = 24.0
"""Hours; the simulator counts time in hours since the log began."""
COLD_HOURS = 72.0
"""An item's popularity is known in full this long after its birth."""


@dataclass(frozen=True)
class Catalog:
    """Arrays over items (I), categories (C), departments (G), brands (B), latent dimensions (D)."""

    words: Vocabulary
    category_I: Ints
    department_I: Ints
    brand_I: Ints
    style_ID: Floats
    """Latent style within the category; standard normal over items."""
    view_ID: Floats
    """What the site knows of the style: a noisy view with unit variance."""
    embedding_IE: Floats
    quality_I: Floats
    rating_I: Floats
    """Quality as shown, with an error."""
    log_popularity_I: Floats
    """Standardised log of the Zipf weight."""
    log_price_I: Floats
    birth_I: Floats
    """Hours since the log began; negative for items listed before."""
    death_I: Floats
    edition_I: Ints
    """Pieces of a limited edition, 0 for unlimited items."""
    discount_IT: Floats
    """Price factor by item and day."""
    department_C: Ints
    log_price_C: Floats
    brand_department_B: Ints

    @property
    def items(self) -> int:
        """Number of items."""
        return len(self.category_I)

    def price(self, item: NDArray[np.integer], hours: NDArray[np.floating]) -> Floats:
        """Price in money at a time, promotions included; arrays broadcast together."""
        day = np.clip(hours / DAY, 0, self.discount_IT.shape[1] - 1).astype(np.int32)
        price = np.exp(self.log_price_I[item]) * self.discount_IT[item, day]
        return np.asarray(np.round(price, 2), dtype=np.float32)


def make_catalog(config: MarketplaceConfig, rng: np.random.Generator) -> Catalog:
    """Draw the items of a marketplace."""
    c, words = config.catalog, vocabulary(config.vocabulary)
    department_C = np.repeat(np.arange(len(words.departments)), [len(names) for names in words.categories])
    categories, dims = len(department_C), c.latent_dims

    share_C = rng.dirichlet(np.full(categories, 12.0))
    category_I = np.sort(rng.choice(categories, size=c.items, p=share_C))
    department_I = department_C[category_I]
    brand_department_B, brand_I = _brands(c, len(words.departments), department_I, rng)

    brand_style_BD = rng.standard_normal((c.brands, dims))
    style_ID = 0.5 * brand_style_BD[brand_I] + np.sqrt(0.75) * rng.standard_normal((c.items, dims))
    view_noise = 0.6
    view_ID = (style_ID + view_noise * rng.standard_normal(style_ID.shape)) / np.hypot(1, view_noise)
    quality_I = rng.standard_normal(c.items)
    rating_I = quality_I + c.rating_noise * rng.standard_normal(c.items)

    log_price_C = np.log(c.price_median) + c.price_spread_between * rng.standard_normal(categories)
    prestige_B = rng.standard_normal(c.brands)
    log_price_I = log_price_C[category_I] + c.price_spread_within * (
        0.7 * prestige_B[brand_I] + 0.3 * quality_I + 0.65 * rng.standard_normal(c.items)
    )
    edition_I, birth_I, death_I = _lifetimes(c, config.days, rng)
    return Catalog(
        words=words,
        category_I=category_I.astype(np.int32),
        department_I=department_I.astype(np.int32),
        brand_I=brand_I.astype(np.int32),
        style_ID=style_ID.astype(np.float32),
        view_ID=view_ID.astype(np.float32),
        embedding_IE=_embeddings(c, category_I, department_I, view_ID, rng),
        quality_I=quality_I.astype(np.float32),
        rating_I=rating_I.astype(np.float32),
        log_popularity_I=_popularity(c, quality_I, rng),
        log_price_I=log_price_I.astype(np.float32),
        birth_I=birth_I,
        death_I=death_I,
        edition_I=edition_I,
        discount_IT=promotions(c, config.days, rng),
        department_C=department_C.astype(np.int32),
        log_price_C=log_price_C.astype(np.float32),
        brand_department_B=brand_department_B,
    )


def _brands(
    c: CatalogConfig, departments: int, department_I: NDArray[np.integer], rng: np.random.Generator
) -> tuple[Ints, NDArray[np.int64]]:
    """Brands live in one department each and are of very different size."""
    brand_department_B = np.sort(np.arange(c.brands) % departments)
    weight_B = rng.pareto(1.5, c.brands) + 0.3
    brand_I = np.zeros(len(department_I), dtype=np.int64)
    for department in range(departments):
        brands = np.flatnonzero(brand_department_B == department)
        if len(brands) == 0:  # fewer brands than departments: theirs are shared
            brands = np.arange(c.brands)
        rows = np.flatnonzero(department_I == department)
        chances = weight_B[brands] / weight_B[brands].sum()
        brand_I[rows] = rng.choice(brands, size=len(rows), p=chances)
    return brand_department_B.astype(np.int32), brand_I


def _popularity(c: CatalogConfig, quality_I: NDArray[np.floating], rng: np.random.Generator) -> Floats:
    """Zipf weights over ranks that lean towards quality, as a standardised logarithm."""
    standing = 0.4 * quality_I + rng.standard_normal(c.items)
    rank_I = np.empty(c.items)
    rank_I[np.argsort(-standing)] = np.arange(1, c.items + 1)
    log_weight = -c.zipf_exponent * np.log(rank_I)
    standard = (log_weight - log_weight.mean()) / max(float(log_weight.std()), 1e-6)
    return np.asarray(standard, dtype=np.float32)


def _embeddings(
    c: CatalogConfig,
    category_I: NDArray[np.integer],
    department_I: NDArray[np.integer],
    view_ID: NDArray[np.floating],
    rng: np.random.Generator,
) -> Floats:
    """A vector a content encoder might give: department, category and style, mixed and noisy."""
    wide = c.embedding_dims
    department_GE = rng.standard_normal((int(department_I.max()) + 1, wide))
    category_CE = 0.7 * rng.standard_normal((int(category_I.max()) + 1, wide))
    mix_DE = 0.6 * rng.standard_normal((c.latent_dims, wide)) / np.sqrt(c.latent_dims)
    signal_IE = department_GE[department_I] + category_CE[category_I] + view_ID @ mix_DE
    noisy_IE = signal_IE + c.embedding_noise * rng.standard_normal(signal_IE.shape)
    return np.asarray(np.round(noisy_IE, 4), dtype=np.float32)


def _lifetimes(c: CatalogConfig, days: int, rng: np.random.Generator) -> tuple[Ints, Floats, Floats]:
    """Sizes of limited editions, and the hours from which and until which every item is for sale."""
    horizon = days * DAY
    limited_I = rng.random(c.items) < c.limited_share
    edition_I = np.where(limited_I, np.rint(10 ** rng.uniform(1.0, 2.7, c.items)), 0)
    new_I = rng.random(c.items) < c.born_share
    before_I = -rng.exponential(200 * DAY, c.items) - 7 * DAY
    birth_I = np.where(new_I, rng.uniform(0, horizon, c.items), before_I)
    # Editions keep coming, so those of a lifetime before the log may still be for sale when it begins.
    limited_birth_I = rng.uniform(-2 * c.limited_days * DAY, horizon, c.items)
    birth_I = np.where(limited_I, limited_birth_I, birth_I)
    # A larger edition lasts longer.
    mean_I = c.limited_days * DAY * np.sqrt(np.maximum(edition_I, 1) / 70.0)
    death_I = np.where(limited_I, birth_I + mean_I * rng.gamma(2.0, 0.5, c.items), np.inf)
    return edition_I.astype(np.int32), birth_I.astype(np.float32), death_I.astype(np.float32)


def promotions(c: CatalogConfig, days: int, rng: np.random.Generator) -> Floats:
    """Price factors by item and day: promotions of three days at 10 to 30 % off."""
    starts_IT = rng.random((c.items, days), dtype=np.float32) < c.promotion_rate
    off_IT = np.where(starts_IT, rng.integers(2, 7, size=starts_IT.shape) * np.float32(0.05), np.float32(0))
    discount_IT = off_IT.copy()
    for late in (1, 2):
        discount_IT[:, late:] = np.maximum(discount_IT[:, late:], off_IT[:, :-late])
    return np.float32(1) - discount_IT
