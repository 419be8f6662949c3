"""The columns of the store, known before any step runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from corank.errors import CorankError
from corank.logs import LogTables
from corank.logs.schemas import SCHEMAS
from corank.samples.anchors import anchor_columns
from corank.samples.exposures import EXPOSURE_COLUMNS
from corank.samples.manifest import LABELS, QUERY_SOURCE
from corank.samples.touches import touch_columns

FROM_HISTORY = ("history_offset", "history_length")
FROM_CANDIDATES = ("item_id", "exposed", "position")


def request_columns(logs: LogTables) -> list[str]:
    """Columns with one value a request: the request's own, the user's, its part of the history."""
    of_user = [f"user_{name}" for name in logs.schema("users").names if name != "user_id"]
    return [*logs.schema("requests").names, QUERY_SOURCE, *of_user, *FROM_HISTORY]


def sample_columns(
    logs: LogTables,
    ranked: Sequence[str],
    relative: Sequence[str],
    scopes: Mapping[str, Sequence[str]],
    actions: Sequence[str],
    exposures: bool,
) -> list[str]:
    """Columns with one value an item: the candidate's own, labels, and what is known as of the request."""
    attributes = [name for name in logs.schema("candidates").names if name not in SCHEMAS["candidates"]]
    touched = [column for scope in scopes for column in touch_columns(scope, actions)]
    ranks = [f"{column}_rank" for column in ranked]
    shown = EXPOSURE_COLUMNS if exposures else ()
    computed = [*ranks, "item_clicks", *shown, *touched, *anchor_columns(relative)]
    return [*FROM_CANDIDATES, *LABELS, *attributes, *computed]


def refuse_clashes(logs: LogTables, columns: Sequence[str]) -> None:
    """Stop if two columns of the store would have one name, or the log uses a name that the steps use.

    Raises:
        CorankError: they would, or it does.
    """
    for table in ("requests", "candidates"):
        for name in logs.schema(table).names:
            if name.startswith("_"):
                raise CorankError(
                    f"{logs.path(table)}: column '{name}': names that begin with an underscore are reserved"
                )
    counts = Counter(name.lower() for name in columns)
    for name in columns:
        if counts[name.lower()] > 1:
            raise CorankError(
                f"{logs.folder}: the samples would have two columns called '{name}' (columns of requests and"
                " candidates, those of users as user_NAME, computed ones); rename the log's"
            )
