"""Diginetica's rows, parsed, each with the reason it cannot be used if there is one."""

from __future__ import annotations

from collections.abc import Mapping

from corank.logs.adapters.parsing import Copies, Parsed, Reasons

_FRAME = "below(timeframe, 10_000_000_000) AS frame"  # milliseconds: more is a slip of units, not a session

_TIME = "frame IS NULL OR day IS NULL"
_TIME_MEANS = "without a day (eventdate) and milliseconds (timeframe)"


def _deeds(what: str) -> Reasons:
    return {
        f"{what}_without_ids": (
            "session_id IS NULL OR item_id IS NULL",
            f"{what} whose session or item is not a number",
        ),
        f"{what}_without_time": (_TIME, f"{what} {_TIME_MEANS}"),
    }


_DEED = f"""
    whole(sessionId) AS session_id, whole(itemId) AS item_id,
    {_FRAME}, calendar(eventdate) AS day"""

PARSED: Mapping[str, Parsed] = {
    "queries": Parsed(
        "train-queries.csv",
        f"""whole(queryId) AS query_id, whole(sessionId) AS session_id, whole(userId) AS account_id,
           {_FRAME}, calendar(eventdate) AS day,
           words("searchstring.tokens", '[, ]+') AS query, nullif(whole(categoryId), 0) AS category_id,
           lower("is.test") AS is_test,
           list_transform(string_split(items, ','), lambda item: whole(trim(item))) AS items""",
        {
            "query_without_ids": (
                "query_id IS NULL OR session_id IS NULL",
                "query whose id or session is not a number",
            ),
            "query_without_time": (_TIME, f"query {_TIME_MEANS}"),
            "test_query": ("is_test = 'true'", "query of the challenge's test, whose clicks are withheld"),
            "test_unknown": (
                "is_test IS DISTINCT FROM 'false'",
                "query of which is.test does not say TRUE or FALSE",
            ),
            "query_without_items": (
                "items IS NULL OR len(ranks) = 0",
                "query whose list holds not one item's number",
            ),
        },
        Copies(
            "repeated_query",
            "query with the id of another",
            key="query_id",
            order="session_id, day, frame, query, category_id, items, account_id",
        ),
        listed="items",
    ),
    "clicks": Parsed(
        "train-clicks.csv",
        f"whole(queryId) AS query_id, whole(itemId) AS item_id, {_FRAME}",
        {
            "click_without_ids": (
                "query_id IS NULL OR item_id IS NULL",
                "click whose query or item is not a number",
            ),
            "click_without_time": ("frame IS NULL", "click without milliseconds (timeframe)"),
        },
    ),
    "views": Parsed("train-item-views.csv", _DEED, _deeds("view")),
    "purchases": Parsed("train-purchases.csv", _DEED, _deeds("purchase")),
    "products": Parsed(
        "products.csv",
        """whole(itemId) AS item_id, finite(pricelog2) AS price_log2,
           words("product.name.tokens", '[, ]+') AS title""",
        {"product_without_id": ("item_id IS NULL", "product whose id is not a number")},
        Copies(
            "repeated_product", "product with the id of another", key="item_id", order="title, price_log2"
        ),
    ),
    "categories": Parsed(
        "product-categories.csv",
        "whole(itemId) AS item_id, whole(categoryId) AS category_id",
        {
            "category_without_ids": (
                "item_id IS NULL OR category_id IS NULL",
                "product's category whose product or category is not a number",
            )
        },
        Copies(
            "repeated_category",
            "product's category beside the one kept, the smallest",
            key="item_id",
            order="category_id",
        ),
    ),
}
