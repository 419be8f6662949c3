"""Coveo's files: their names and the columns used of each, as published."""

from __future__ import annotations

from corank.logs.adapters.reading import FileSet, TextFormat

FILES = FileSet(
    "Coveo's data set",
    {
        "search_train.csv": (
            "session_id_hash",
            "query_vector",
            "clicked_skus_hash",
            "product_skus_hash",
            "server_timestamp_epoch_ms",
        ),
        "browsing_train.csv": (
            "session_id_hash",
            "product_action",
            "product_sku_hash",
            "server_timestamp_epoch_ms",
        ),
        "sku_to_content.csv": (
            "product_sku_hash",
            "description_vector",
            "category_hash",
            "image_vector",
            "price_bucket",
        ),
    },
    TextFormat(nulls=("",)),
)
