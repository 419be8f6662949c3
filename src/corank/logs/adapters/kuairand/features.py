"""KuaiRand's attributes of users and videos, by their names in the log tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from corank.logs.adapters.attributes import Attribute, Attributes, attributes

_FLAGS = ("is_lowactive_period", "is_live_streamer", "is_video_author")
_NUMBERS = ("follow_user_num", "fans_user_num", "friend_user_num", "register_days")
_ENCRYPTED = tuple(f"onehot_feat{n}" for n in range(18))


def _category(level: str) -> Attribute:
    return Attribute((f"{level}_level_category_name",), "known({x})")


USERS = {
    "user_active_degree": Attribute(("user_active_degree",), "known({x})"),
    **{flag: Attribute((flag,), "whole({x})") for flag in _FLAGS},
    **{number: Attribute((number,), "whole({x})") for number in _NUMBERS},
    **{f"{number}_range": Attribute((f"{number}_range",), "known({x})") for number in _NUMBERS},
    **{feature: Attribute((feature,), "CAST(whole({x}) AS VARCHAR)") for feature in _ENCRYPTED},
}
"""The encrypted features number categories, so they are text."""

VIDEOS = {
    "author_id": Attribute(("author_id",), "whole({x})"),
    "video_type": Attribute(("video_type",), "known({x})"),
    "upload_type": Attribute(("upload_type",), "known({x})"),
    "upload_day": Attribute(("upload_dt",), "day_number({x})"),
    "video_ms": Attribute(("video_duration",), "number({x})"),
    "server_width": Attribute(("server_width",), "whole({x})"),
    "server_height": Attribute(("server_height",), "whole({x})"),
    "music_id": Attribute(("music_id",), "whole({x})"),
    "music_type": Attribute(("music_type",), "CAST(whole({x}) AS VARCHAR)"),
    "tags": Attribute(("tag",), "list_transform(string_split(known({x}), ','), lambda tag: trim(tag))"),
}

CAPTIONS = {
    "title": Attribute(("caption",), "known({x})"),
    "cover_text": Attribute(("show_cover_text",), "known({x})"),
}

CATEGORIES = {
    "category": _category("first"),
    "second_category": _category("second"),
    "third_category": _category("third"),
    "fourth_category": _category("fourth"),
}

_KNOWN = {
    "user_features": ("user_id", USERS, "seen_users"),
    "video_features_basic": ("video_id", VIDEOS, "seen_items"),
    "kuairand_video_captions": ("final_video_id", CAPTIONS, "seen_items"),
    "kuairand_video_categories": ("final_video_id", CATEGORIES, "seen_items"),
}


def of(files: Mapping[str, Path]) -> list[Attributes]:
    """The files of attributes that are there.

    Raises:
        CorankError: one cannot be read.
    """
    return [attributes(stem, files[stem], *known) for stem, known in _KNOWN.items() if stem in files]
