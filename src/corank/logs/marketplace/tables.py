"""The tables of items and users, and the truth about them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corank.logs.marketplace.arrow import lists_of, nullable, stamps, words_of
from corank.logs.marketplace.catalog import Catalog
from corank.logs.marketplace.config import MarketplaceConfig
from corank.logs.marketplace.population import AGE_BANDS, CITY_TIERS, MEMBERSHIPS, Population
from corank.logs.marketplace.vocabulary import ATTRIBUTES


def item_tables(
    config: MarketplaceConfig, catalog: Catalog, brands: list[str], rng: np.random.Generator
) -> dict[str, pa.Table]:
    """`items` and `truth/items`."""
    words = catalog.words
    category, brand = words_of(words.nouns, catalog.category_I), words_of(brands, catalog.brand_I)
    columns = {
        "item_id": pa.array(np.arange(catalog.items)),
        "title": pc.binary_join_element_wise(*_title_adjectives(catalog), brand, category, " "),
        "category": category,
        "department": words_of(words.departments, catalog.department_I),
        "brand": brand,
        "price": pa.array(np.round(np.exp(catalog.log_price_I), 2)),
        "rating": pa.array(np.round(np.clip(3.6 + 0.6 * catalog.rating_I, 1, 5), 1)),
        "listed_at": stamps(config, catalog.birth_I),
        "embedding": lists_of(catalog.embedding_IE),
    }
    if config.vocabulary == "boutique":
        for name, choices in ATTRIBUTES.items():
            columns[name] = _attribute(catalog, choices, rng)
        columns["edition_size"] = nullable(catalog.edition_I, 0)
    truth = {
        "item_id": columns["item_id"],
        "quality": pa.array(catalog.quality_I),
        "log_popularity": pa.array(catalog.log_popularity_I),
        "style": lists_of(catalog.style_ID),
        "withdrawn_at": stamps(config, catalog.death_I, np.isfinite(catalog.death_I)),
    }
    return {"items": pa.table(columns), "truth/items": pa.table(truth)}


def user_tables(people: Population) -> dict[str, pa.Table]:
    """`users` and `truth/users`; taste is flat, department after department."""
    user_id = pa.array(people.first_id + np.arange(people.users))
    attributes = {
        "user_id": user_id,
        "age_band": words_of(AGE_BANDS, people.age_U),
        "city_tier": words_of(CITY_TIERS, people.tier_U),
        "membership": words_of(MEMBERSHIPS, people.membership_U),
    }
    truth = {
        "user_id": user_id,
        "activity": pa.array(people.activity_U),
        "price_sensitivity": pa.array(people.sensitivity_U),
        "wealth": pa.array(people.wealth_U),
        "patience": pa.array(people.patience_U),
        "taste": lists_of(people.taste_UGD.reshape(people.users, -1)),
        "drift": lists_of(people.drift_UD),
    }
    return {"users": pa.table(attributes), "truth/users": pa.table(truth)}


def _attribute(catalog: Catalog, choices: tuple[str, ...], rng: np.random.Generator) -> pa.Array:
    """Words that go with the style: each has a direction, an item the word it leans to most."""
    direction_DW = rng.standard_normal((catalog.style_ID.shape[1], len(choices)))
    lean_IW = catalog.style_ID @ direction_DW + rng.standard_normal((catalog.items, len(choices)))
    return words_of(choices, lean_IW.argmax(axis=1))


def _title_adjectives(catalog: Catalog) -> tuple[pa.Array, pa.Array]:
    """Words for the two strongest dimensions of the style as the site sees it."""
    view_ID, rows = catalog.view_ID, np.arange(catalog.items)
    strongest_ID = np.argsort(-np.abs(view_ID), axis=1, kind="stable")
    first, second = (
        words_of(catalog.words.poles, 2 * dimension_I + (view_ID[rows, dimension_I] > 0))
        for dimension_I in (strongest_ID[:, 0], strongest_ID[:, 1])
    )
    return first, second
