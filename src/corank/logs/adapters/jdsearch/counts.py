"""What is told of JDsearch's files beside the rows that could not be parsed."""

from __future__ import annotations

READ = {
    "candidates": "SELECT count(*) FROM candidates_of",
    "candidates with a label above 0": "SELECT count(*) FROM candidates_of WHERE label > 0",
    "interactions in histories": "SELECT sum(deeds) FROM searches",
}

UNUSABLE = {
    "search_without_query": (
        "SELECT count(*) FROM searches WHERE query IS NULL",
        "search without a query: its query is null",
    ),
    "candidate_not_a_number": (
        "SELECT count(*) FROM candidates_of WHERE item_id IS NULL",
        "candidate that is not a product's number",
    ),
    "repeated_candidate": (
        "SELECT sum(list_count(items) - len(ranks)) FROM searches",
        "candidate earlier in the same list: its label counts, too",
    ),
    "unknown_label": (
        "SELECT count(*) FROM candidates_of WHERE item_id IS NOT NULL AND label NOT IN (0, 1, 2, 3)"
        " OR label IS NULL",
        "candidate whose label is not 0, 1, 2 or 3: no event",
    ),
    "history_lists_differ": (
        "SELECT count(*) FROM searches WHERE NOT history_used",
        "history whose lists differ in length or whose times are not seconds: left out, its search stays",
    ),
    "history_item_not_a_number": (
        "SELECT count(*) FROM histories WHERE item_id IS NULL",
        "interaction of a history with what is not a product's number",
    ),
    "unknown_history_type": (
        "SELECT count(*) FROM histories WHERE item_id IS NOT NULL AND action IS NULL",
        "interaction of a history of an unknown type",
    ),
    "repeated_product": ("SELECT sum(copies) FROM repeated", "product with the id of another"),
    "product_not_described": (
        "SELECT count(*) FROM (SELECT item_id FROM candidates_of WHERE item_id IS NOT NULL"
        " UNION SELECT item_id FROM touches)"
        " ANTI JOIN (SELECT item_id FROM products WHERE reason IS NULL) USING (item_id)",
        "product without a row in product_meta_data.txt: its attributes are null",
    ),
}
