"""Whether a column's type suits the kind of its field."""

from __future__ import annotations

import pyarrow as pa

from corank.errors import CorankError
from corank.features.spec import Field
from corank.features.transforms import is_list, is_text


def check_type(field: Field, kind: pa.DataType) -> None:
    """Refuse a column whose type does not suit the field's kind."""
    if field.source == "list" and field.kind in ("sequence", "text", "embedding"):
        raise CorankError(
            f"feature spec: field '{field.label}' is of kind {field.kind}, which item-in-request columns "
            "cannot have; put it into the item table or the request"
        )
    listed = is_list(kind)
    text = is_text(kind) or pa.types.is_dictionary(kind)
    numeric = _is_number(kind)
    flag = pa.types.is_boolean(kind)
    fits = {
        "id": text or pa.types.is_integer(kind) or flag,
        "number": numeric or flag,
        "sequence": listed or text or field.source == "history",
        "text": text,
        "embedding": listed and _is_number(kind.value_type),
    }[field.kind]
    if not fits:
        expected = {
            "id": "text or whole numbers",
            "number": "a numeric column",
            "sequence": "lists of ids, or text to split into words",
            "text": "text",
            "embedding": "lists of numbers",
        }[field.kind]
        raise CorankError(
            f"feature spec: field '{field.label}' is of kind {field.kind}, which needs {expected}; "
            f"{field.source} column '{field.column}' holds {kind}"
        )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
