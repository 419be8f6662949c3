"""Diginetica's files: their names and the columns used of each, as published."""

from __future__ import annotations

from corank.logs.adapters.reading import FileSet, TextFormat

FILES = FileSet(
    "Diginetica's data set",
    {
        "train-queries.csv": (
            "queryId",
            "sessionId",
            "userId",
            "timeframe",
            "eventdate",
            "searchstring.tokens",
            "categoryId",
            "items",
            "is.test",
        ),
        "train-clicks.csv": ("queryId", "timeframe", "itemId"),
        "train-item-views.csv": ("sessionId", "itemId", "timeframe", "eventdate"),
        "train-purchases.csv": ("sessionId", "itemId", "timeframe", "eventdate"),
        "products.csv": ("itemId", "pricelog2", "product.name.tokens"),
        "product-categories.csv": ("itemId", "categoryId"),
    },
    TextFormat(delimiter=";", nulls=("", "NA")),
)
