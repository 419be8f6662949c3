"""A first `FeatureSpec` from what a store holds, for a person to edit."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from corank.features.spec import FeatureSpec, Field, Group, Kind, Source
from corank.features.store import Store
from corank.features.transforms import is_list, is_text


def infer_spec(samples: Path) -> FeatureSpec:
    """One field for every column that can be an input; the others are listed with the reason.

    Args:
        samples: a folder made by `corank samples`.

    Raises:
        CorankError: the folder is not one.
    """
    columns = Store(samples).columns
    fields: list[Field] = []
    left_out: dict[str, str] = {}
    for source in ("request", "list", "item"):
        for column, kind in columns[source].items():
            found, why = _fields(source, column, kind)
            taken = {field.label for field in fields}
            fields += [
                f.model_copy(update={"name": f"{source}_{f.label}"}) if f.label in taken else f for f in found
            ]
            if why:
                left_out[f"{source}.{column}"] = why
    attributes = {f.column: f for f in fields if f.source == "item" and f.kind == "id"}
    for column in columns["history"]:
        if column in attributes:
            fields.append(_history(column, shares=attributes[column].label))
        elif column in ("action", "domain"):
            fields.append(_history(column, shares=None))
    titles = [f for f in fields if f.source == "item" and f.kind == "text"]
    queries = [f for f in fields if f.label == "query_text"]
    if titles and queries:  # one table for the words of both, so that a match can be learned from few
        shared = titles[0].model_copy(update={"shares": queries[0].label})
        fields[fields.index(titles[0])] = shared
    return FeatureSpec(fields=tuple(fields), left_out=left_out)


def _fields(source: Source, column: str, kind: pa.DataType) -> tuple[list[Field], str]:
    """The fields that a column suggests, or why it suggests none."""
    group = _group(source, column)
    if source == "request" and column == "session_id":
        return [], "an id that no other request will carry"

    def field(kind: Kind, name: str = "", length: int = 20) -> Field:
        return Field(column=column, kind=kind, source=source, group=group, name=name, length=length)

    listed = source == "list"
    if column in ("query", "title") and not listed and is_text(kind):
        text = field("text", name=f"{column}_text", length=12)
        return [field("id"), text] if column == "query" else [text], ""
    if is_list(kind):
        inner = kind.value_type
        if pa.types.is_floating(inner):
            return ([field("embedding")], "") if not listed else ([], "embeddings are read from items")
        return ([field("sequence")], "") if not listed else ([], "a list within a list")
    if is_text(kind) or pa.types.is_boolean(kind):
        return [field("id")], ""
    if pa.types.is_integer(kind) and column.endswith("_id"):
        return [field("id")], ""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return [field("number")], ""
    return [], f"no default for type {kind}"


def _history(column: str, shares: str | None) -> Field:
    return Field(column=column, kind="sequence", source="history", group="sequence", shares=shares)


def _group(source: Source, column: str) -> Group:
    if source in ("item", "list"):
        return "item"
    if column == "domain":
        return "domain"
    if column.startswith("query"):
        return "query"
    return "user" if column.startswith("user_") else "context"
