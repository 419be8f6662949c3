"""KuaiSAR's attributes of users and items, by their names in the log tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from corank.logs.adapters.attributes import Attribute, Attributes, attributes


def _category(level: str) -> Attribute:
    return Attribute((f"{level}_level_category_name_en", f"{level}_level_category_name"), "known({x})")


USERS = {
    "search_active_level": Attribute(("search_active_level",), "whole({x})"),
    "rec_active_level": Attribute(("rec_active_level", "reco_active_level"), "whole({x})"),
    "onehot_feat1": Attribute(("onehot_feat1",), "CAST(whole({x}) AS VARCHAR)"),
    "onehot_feat2": Attribute(("onehot_feat2",), "CAST(whole({x}) AS VARCHAR)"),
}
"""The two encrypted features number categories, so they are text. The second level has two spellings: the
description's and the files'."""

ITEMS = {
    "title": Attribute(("caption",), "word_ids({x})"),
    "category": _category("first"),
    "second_category": _category("second"),
    "third_category": _category("third"),
    "fourth_category": _category("fourth"),
    "author_id": Attribute(("author_id",), "nullif(whole({x}), 0)"),
    "music_id": Attribute(("music_id",), "nullif(whole({x}), 0)"),
    "item_type": Attribute(("item_type",), "known({x})"),
    "upload_type": Attribute(("upload_type",), "known({x})"),
    "upload_day": Attribute(("upload_time",), "day_number({x})"),
}


_KNOWN = {
    "user_features": ("user_id", USERS, "seen_users"),
    "item_features": ("item_id", ITEMS, "seen_items"),
}


def of(files: Mapping[str, Path]) -> list[Attributes]:
    """The files of attributes that are there.

    Raises:
        CorankError: one cannot be read.
    """
    return [attributes(stem, files[stem], *known) for stem, known in _KNOWN.items() if stem in files]
