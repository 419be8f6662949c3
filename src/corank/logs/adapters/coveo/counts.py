"""What is told of Coveo's files beside the rows that could not be parsed."""

from __future__ import annotations

from corank.logs.adapters.coveo.rows import ACTIONS

READ = {
    "page views": "SELECT count(*) FROM actions WHERE is_page",
} | {
    f"{published} actions": f"SELECT count(*) FROM actions WHERE action = '{ours}'"
    for published, ours in ACTIONS.items()
}

_VECTORS = """
    SELECT written, vector, of_text AS length FROM searches, lengths WHERE reason IS NULL
    UNION ALL SELECT written, description, of_text FROM products, lengths WHERE reason IS NULL
    UNION ALL SELECT image_written, image, of_image FROM products, lengths WHERE reason IS NULL"""

UNUSABLE = {
    "search_without_results": (
        "SELECT count(*) FROM searched WHERE NOT listed",
        "search without results: no request; its clicks are events without one",
    ),
    "search_without_vector": (
        "SELECT count(*) FROM searched WHERE listed AND written IS NULL",
        "search without a query vector: its query is null",
    ),
    "clicked_item_not_in_list": (
        "SELECT count(*) FROM clicks WHERE listed AND request_id IS NULL",
        "clicked item that its search's results lack: an event without a request",
    ),
    "repeated_result": ("SELECT sum(repeats) FROM searched", "result earlier in the same list"),
    "searched_twice_at_once": (
        "SELECT count(*) FROM searched WHERE renamed",
        "search at the time of another of its session: renamed",
    ),
    "repeated_event": (
        "SELECT sum(copies - 1) FROM touches",
        "event with the session, item, time and action of another",
    ),
    "vector_not_numbers": (
        f"SELECT count(*) FROM ({_VECTORS}) WHERE written IS NOT NULL AND vector IS NULL",
        "vector that is not a list of finite numbers: null",
    ),
    "vector_of_other_length": (
        f"SELECT count(*) FROM ({_VECTORS}) WHERE len(vector) IS DISTINCT FROM length AND vector IS NOT NULL",
        "vector shorter or longer than most of its kind: null",
    ),
    "price_bucket_not_a_number": (
        "SELECT count(*) FROM products WHERE reason IS NULL AND bucket_written IS NOT NULL"
        " AND price_bucket IS NULL",
        "price bucket that is not a number: null",
    ),
}
