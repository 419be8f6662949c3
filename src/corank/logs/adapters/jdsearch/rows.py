"""JDsearch's rows, parsed, each with the reason it cannot be used if there is one."""

from __future__ import annotations

from collections.abc import Mapping

from corank.logs.adapters.jdsearch.source import FILES
from corank.logs.adapters.parsing import Copies, Parsed
from corank.logs.engine import quoted

LABELS = {"click": 1, "cart": 2, "purchase": 3}
"""What a candidate's label means, by the names in events; 0 is no interaction."""

HISTORY = {"CLICK": "click", "CART": "cart", "ORD": "purchase", "FLW": "follow"}
"""Types of history as published, and their names in events."""

_GAP = r"'\x18'"  # between the terms of a text

_ACTIONS = ", ".join(f"{quoted(published)}: {quoted(ours)}" for published, ours in HISTORY.items())

_LINE = ", ".join(f"coalesce({column}, '')" for column in FILES.columns["user_behavior_data.txt"])

PARSED: Mapping[str, Parsed] = {
    "lines": Parsed(
        "user_behavior_data.txt",
        f"""CAST('0x' || md5(concat_ws(chr(9), {_LINE}))[:15] AS BIGINT) AS user_id,
            words(query, {_GAP}) AS query,
            list_transform(parts(candidate_wid_list, '_'), lambda x: whole(x)) AS items,
            list_transform(parts(candidate_label_list, '_'), lambda x: finite(x)) AS labels,
            list_transform(parts(history_qry_list, '_'), lambda x: words(nullif(x, '-1'), {_GAP}))
              AS history_queries,
            list_transform(parts(history_wid_list, '_'), lambda x: whole(x)) AS history_items,
            list_transform(parts(history_type_list, '_'), lambda x: MAP {{{_ACTIONS}}}[x]) AS history_actions,
            list_transform(parts(history_time_list, '_')[2:], lambda x: whole(x)) AS gaps""",
        {
            "line_without_candidates": (
                "len(ranks) = 0",
                "line whose candidates hold not one product's number",
            ),
            "candidates_and_labels_differ": (
                "len(items) <> len(labels)",
                "line with more candidates than labels or fewer",
            ),
        },
        Copies("repeated_line", "line that is the copy of another", key="user_id", order="user_id"),
        listed="items",
    ),
    "products": Parsed(
        "product_meta_data.txt",
        f"""whole(wid) AS item_id, words(name, {_GAP}) AS title, 'c' || whole(cate_id_4) AS category,
           whole(cate_id_1) AS category_1_id, whole(cate_id_2) AS category_2_id,
           whole(cate_id_3) AS category_3_id,
           words(concat_ws(' ', cate_name_1, cate_name_2, cate_name_3, cate_name_4), {_GAP})
             AS category_names,
           whole(brand_id) AS brand_id, words(brand_name, {_GAP}) AS brand_name, whole(shop_id) AS shop_id""",
        {"product_without_id": ("item_id IS NULL", "product whose wid is not a number")},
    ),
}
