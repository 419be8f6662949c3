"""The users of one chunk: attributes, lasting taste, activity, sensitivity to price, patience."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corank.logs.marketplace.catalog import Catalog, Floats
from corank.logs.marketplace.config import MarketplaceConfig

AGE_BANDS = ("18-24", "25-34", "35-44", "45-54", "55+")
CITY_TIERS = ("metropolis", "city", "town", "village")
MEMBERSHIPS = ("none", "silver", "gold")
DEVICES = ("mobile", "desktop", "tablet")


@dataclass(frozen=True)
class Population:
    """Arrays over users (U), departments (G), categories (C), latent dimensions (D), days (T)."""

    first_id: int
    age_U: NDArray[np.int8]
    tier_U: NDArray[np.int8]
    membership_U: NDArray[np.int8]
    activity_U: Floats
    """Multiple of the mean user's activity."""
    taste_UGD: Floats
    """Standard normal over users."""
    drift_UD: Floats
    """Added to taste by the end of the log."""
    guess_UGD: Floats
    """The site's guess of taste, with unit variance."""
    interest_UC: Floats
    """Cumulative distribution of interest over categories."""
    sensitivity_U: Floats
    wealth_U: Floats
    """Shift of log budgets."""
    patience_U: Floats
    """Factor of the examination exponent; below 1 is patient."""
    mobile_U: NDArray[np.float64]
    """Chance that the device of a day is a mobile one."""
    device_UT: NDArray[np.int8]
    """Device by day."""

    @property
    def users(self) -> int:
        """Number of users."""
        return len(self.age_U)


@dataclass(frozen=True)
class Society:
    """What all users have in common: the effect of attributes on taste and interest, by department."""

    age_taste_AGD: Floats
    age_interest_AC: Floats
    base_interest_C: Floats


def make_society(catalog: Catalog, rng: np.random.Generator) -> Society:
    """Draw how age shapes taste, and how popular categories are."""
    groups, dims = len(catalog.words.departments), catalog.style_ID.shape[1]
    categories = len(catalog.department_C)
    return Society(
        age_taste_AGD=rng.standard_normal((len(AGE_BANDS), groups, dims)).astype(np.float32),
        age_interest_AC=np.exp(0.5 * rng.standard_normal((len(AGE_BANDS), categories))).astype(np.float32),
        base_interest_C=np.exp(0.6 * rng.standard_normal(categories)).astype(np.float32),
    )


def make_population(
    config: MarketplaceConfig,
    catalog: Catalog,
    society: Society,
    first_id: int,
    users: int,
    rng: np.random.Generator,
) -> Population:
    """Draw `users` users with ids from `first_id` on."""
    p = config.population
    dims, groups = catalog.style_ID.shape[1], len(catalog.words.departments)
    age_U = rng.choice(len(AGE_BANDS), size=users, p=[0.2, 0.32, 0.23, 0.15, 0.1])
    tier_U = rng.choice(len(CITY_TIERS), size=users, p=[0.3, 0.35, 0.22, 0.13])
    wealth_U = p.wealth_spread * rng.standard_normal(users) + 0.1 * (1.5 - tier_U)
    membership_U = np.digitize(wealth_U + 0.4 * rng.standard_normal(users), [0.2, 0.7])
    spread = p.activity_spread
    activity_U = np.minimum(np.exp(spread * rng.standard_normal(users) - spread**2 / 2), 8.0)

    common_U1D = rng.standard_normal((users, 1, dims))
    own_UGD = rng.standard_normal((users, groups, dims))
    shaped_UGD = 0.4 * society.age_taste_AGD[age_U]
    personal = np.sqrt(1 - 0.4**2)
    taste_UGD = shaped_UGD + personal * (
        np.sqrt(p.taste_constancy) * common_U1D + np.sqrt(1 - p.taste_constancy) * own_UGD
    )
    error_UGD = config.retrieval.ranker_taste_noise * rng.standard_normal(taste_UGD.shape)
    guess_UGD = (taste_UGD + error_UGD) / np.hypot(1, config.retrieval.ranker_taste_noise)

    mean_UC = society.base_interest_C * society.age_interest_AC[age_U]
    interest_UC = rng.standard_gamma(p.interest_concentration, mean_UC.shape) * mean_UC + 1e-6
    cumulative_UC = np.cumsum(interest_UC, axis=1)
    mobile_U = rng.beta(2.4, 1.0, users)
    device_UT = draw_devices(mobile_U, config.days, rng)
    return Population(
        first_id=first_id,
        age_U=age_U.astype(np.int8),
        tier_U=tier_U.astype(np.int8),
        membership_U=membership_U.astype(np.int8),
        activity_U=activity_U.astype(np.float32),
        taste_UGD=taste_UGD.astype(np.float32),
        drift_UD=(p.taste_drift * rng.standard_normal((users, dims))).astype(np.float32),
        guess_UGD=guess_UGD.astype(np.float32),
        interest_UC=(cumulative_UC / cumulative_UC[:, -1:]).astype(np.float32),
        sensitivity_U=(
            p.price_sensitivity * np.exp(0.3 * rng.standard_normal(users) - 0.5 * wealth_U)
        ).astype(np.float32),
        wealth_U=wealth_U.astype(np.float32),
        patience_U=np.exp(config.behaviour.patience_spread * rng.standard_normal(users)).astype(np.float32),
        mobile_U=mobile_U,
        device_UT=device_UT,
    )


def draw_devices(mobile_U: NDArray[np.float64], days: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """The device that each user has on each of so many days."""
    draw_UT = rng.random((len(mobile_U), days))
    other_UT = np.where(draw_UT < 0.5 + mobile_U[:, None] / 2, 1, 2)
    return np.where(draw_UT < mobile_U[:, None], 0, other_UT).astype(np.int8)
