"""JDsearch's files: their names and the columns used of each, as published."""

from __future__ import annotations

from corank.logs.adapters.reading import FileSet, TextFormat

FILES = FileSet(
    "the JDsearch data set",
    {
        "user_behavior_data.txt": (
            "query",
            "candidate_wid_list",
            "candidate_label_list",
            "history_qry_list",
            "history_wid_list",
            "history_type_list",
            "history_time_list",
        ),
        "product_meta_data.txt": (
            "wid",
            "name",
            "brand_id",
            "brand_name",
            "cate_id_1",
            "cate_name_1",
            "cate_id_2",
            "cate_name_2",
            "cate_id_3",
            "cate_name_3",
            "cate_id_4",
            "cate_name_4",
            "shop_id",
        ),
    },
    TextFormat(delimiter="\t", quote="", nulls=("",)),
)
