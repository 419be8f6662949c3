"""JDsearch's rows, parsed, each with the reason it cannot be used if there is one."""

from __future__ import annotations

from collections.abc import Mapping

from corank.logs.adapters import reading
from corank.logs.adapters.jdsearch.source import FILES
from corank.logs.adapters.parsing import Copies, Parsed
from corank.logs.engine import quoted

LABELS = {"click": 1, "cart": 2, "purchase": 3}
"""What a candidate's label means, by the names in events; 0 is no interaction."""

HISTORY = {"CLICK": "click", "CART": "cart", "ORD": "purchase", "FLW": "follow"}
"""Types of history as published, and their names in events."""

MACROS = (
    reading.MACROS
    + """
    CREATE MACRO terms(x) AS nullif(trim(replace(x, chr(24), ' ')), '');
    CREATE MACRO parts(x) AS coalesce(string_split(x, '_'), []);
"""
)
"""Term ids as a text of words; the elements of a list, none for null."""

_ACTIONS = ", ".join(f"{quoted(published)}: {quoted(ours)}" for published, ours in HISTORY.items())

_LINE = ", ".join(f"coalesce({column}, '')" for column in FILES.columns["user_behavior_data.txt"])

PARSED: Mapping[str, Parsed] = {
    "lines": Parsed(
        "user_behavior_data.txt",
        f"""CAST('0x' || md5(concat_ws(chr(9), {_LINE}))[:15] AS BIGINT) AS user_id,
            terms(query) AS query, list_transform(parts(candidate_wid_list), lambda x: whole(x)) AS items,
            list_transform(parts(candidate_label_list), lambda x: money(x)) AS labels,
            list_transform(parts(history_qry_list), lambda x: terms(nullif(x, '-1'))) AS history_queries,
            list_transform(parts(history_wid_list), lambda x: whole(x)) AS history_items,
            list_transform(parts(history_type_list), lambda x: MAP {{{_ACTIONS}}}[x]) AS history_actions,
            list_transform(parts(history_time_list)[2:], lambda x: whole(x)) AS gaps""",
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
        """whole(wid) AS item_id, terms(name) AS title, 'c' || whole(cate_id_4) AS category,
           whole(cate_id_1) AS category_1_id, whole(cate_id_2) AS category_2_id,
           whole(cate_id_3) AS category_3_id,
           terms(concat_ws(' ', cate_name_1, cate_name_2, cate_name_3, cate_name_4)) AS category_names,
           whole(brand_id) AS brand_id, terms(brand_name) AS brand_name, whole(shop_id) AS shop_id""",
        {"product_without_id": ("item_id IS NULL", "product whose wid is not a number")},
    ),
}
