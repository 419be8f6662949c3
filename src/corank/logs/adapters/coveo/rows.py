"""Coveo's rows, parsed, each with the reason it cannot be used if there is one."""

from __future__ import annotations

from collections.abc import Mapping

from corank.logs.adapters.parsing import Copies, Parsed, Reasons
from corank.logs.engine import quoted

ACTIONS = {
    "detail": "view",
    "add": "cart",
    "remove": "remove",
    "purchase": "purchase",
    "click": "click",
}
"""Actions on a product as published, and their names in events."""

_SESSION = "session_id_hash AS session_id, moment(server_timestamp_epoch_ms) AS ms"


def _in_session(what: str) -> Reasons:
    return {
        f"{what}_without_session": ("session_id IS NULL", f"{what} without a session"),
        f"{what}_without_time": (
            "ms IS NULL",
            f"{what} whose time is not a number of milliseconds since 1995",
        ),
    }


PARSED: Mapping[str, Parsed] = {
    "searches": Parsed(
        "search_train.csv",
        f"""{_SESSION}, query_vector AS written, vector(query_vector) AS vector,
            names(product_skus_hash) AS items,
            list_sort(list_distinct(names(clicked_skus_hash))) AS clicked""",
        _in_session("search"),
        Copies(
            "repeated_search",
            "search with the session, time, vector, results and clicks of another",
            key="session_id, ms, written, items, clicked",
            order="ms",
        ),
        listed="items",
    ),
    "actions": Parsed(
        "browsing_train.csv",
        f"""{_SESSION}, product_action IS NULL AS is_page, product_sku_hash AS item_id,
            MAP {{{", ".join(f"{quoted(theirs)}: {quoted(ours)}" for theirs, ours in ACTIONS.items())}}}
              [product_action] AS action""",
        {
            **_in_session("action"),
            "unknown_action": ("NOT is_page AND action IS NULL", "row with an unknown product_action"),
            "action_without_product": ("NOT is_page AND item_id IS NULL", "product_action without a product"),
        },
    ),
    "products": Parsed(
        "sku_to_content.csv",
        """product_sku_hash AS item_id, category_hash AS category, description_vector AS written,
           vector(description_vector) AS description, image_vector AS image_written,
           vector(image_vector) AS image, price_bucket AS bucket_written,
           TRY_CAST(finite(price_bucket) AS INTEGER) AS price_bucket""",
        {"product_without_id": ("item_id IS NULL", "product without an id")},
        Copies(
            "repeated_product",
            "product with the id of another",
            key="item_id",
            order="category, written, image_written, bucket_written",
        ),
    ),
}
