"""What each preset changes of the defaults, and what each size sets."""

from __future__ import annotations

PRESETS: dict[str, dict[str, object]] = {
    "market": {},
    "boutique": {
        "vocabulary": "boutique",
        "days": 120,
        "catalog": {
            "items": 800,
            "brands": 24,
            "price_median": 900.0,
            "price_spread_between": 0.9,
            "price_spread_within": 0.6,
            "promotion_rate": 0.001,
            "limited_share": 0.4,
            "born_share": 0.15,
            "zipf_exponent": 0.6,
        },
        "population": {
            "searches_per_user": 20.0,
            "activity_spread": 1.1,
            "price_sensitivity": 0.5,
            "wealth_spread": 0.6,
        },
        "needs": {
            "duration_days": 16.0,
            "duration_spread": 0.8,
            "sessions_mean": 4.0,
            "searches_per_session": 1.4,
            "brand_share": 0.5,
        },
        "behaviour": {
            "seen_bonus": 0.8,
            "buy_base": -4.9,
            "buy_now_share": 0.35,
            "later_hours": 120.0,
            "direct_return": 0.12,
        },
    },
}

SIZES: dict[str, dict[str, tuple[str, ...]]] = {
    "market": {
        "s": ("requests=20000", "catalog.items=10000", "catalog.brands=300"),
        "m": ("requests=200000", "catalog.items=20000", "catalog.brands=500"),
        "l": ("requests=2000000", "catalog.items=48000", "catalog.brands=1000"),
    },
    "boutique": {"s": ("requests=20000",), "m": ("requests=200000",), "l": ("requests=2000000",)},
}
