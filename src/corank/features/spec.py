"""What a model sees, as a person edits it: fields, each a column of the store and how to read it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field as Bound
from pydantic import model_validator

from corank.config import Config
from corank.errors import CorankError, nearest
from corank.features.texts import Unit
from corank.features.vectors import Normalise
from corank.files import whole_file

Kind = Literal["id", "number", "sequence", "text", "embedding"]
Source = Literal["request", "list", "item", "history"]
Group = Literal["user", "item", "query", "sequence", "context", "domain"]
OF_KINDS: dict[str, tuple[Kind, ...]] = {
    "min_count": ("id", "sequence"),
    "max_size": ("id", "sequence"),
    "length": ("sequence", "text"),
    "unit": ("text",),
    "ngram": ("text",),
    "buckets": ("text",),
    "normalise": ("embedding",),
}
"""Settings that some kinds have."""
OF_OWNER = ("min_count", "max_size", "buckets")
"""Settings of a vocabulary, or of buckets: of the field whose they are."""


class Field(Config):
    """One field: a column of the store, how it is read, and the semantic group it belongs to.

    Kinds: `id` (a category: embedded), `number` (scaled by training quantiles), `sequence` (several ids: the
    user's history, a list column, or the words of a text), `text` (its hashed units, without a vocabulary)
    and `embedding` (a given vector).

    Sources: `request` (a column of the request), `list` (an item-in-request column), `item` (the item table)
    and `history` (a column of the user's earlier events, or an item attribute of the items in them).

    `column` may be a pattern (`user_touches*`): it stands for one field a matching column.
    """

    column: str
    kind: Kind
    source: Source
    group: Group
    name: str = ""  # default: the column, prefixed by `history_` for histories
    width: int | None = Bound(default=None, ge=1)  # embedding width; default: the model's
    min_count: int = Bound(default=2, ge=1)  # ids seen less often in training share the "rare" id
    max_size: int = Bound(default=2_000_000, ge=1)  # the most frequent ids kept
    length: int = Bound(default=20, ge=1)  # the most elements of a sequence kept (the latest, for histories)
    unit: Unit = "words"  # of a text: what is hashed
    ngram: int = Bound(default=3, ge=1, le=16)  # characters of an n-gram
    buckets: int | None = Bound(default=None, ge=2, le=2**26)  # of a text; default: by training's units
    normalise: Normalise = "l2"  # of an embedding
    shares: str | None = None  # the field whose vocabulary, or buckets, and embeddings this one uses

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.source == "history" and self.kind != "sequence":
            raise ValueError(f"field '{self.column}': a history column is of kind sequence, not {self.kind}")
        if self.shares and self.kind not in ("id", "sequence", "text"):
            raise ValueError(f"field '{self.column}': only id, sequence and text fields can share embeddings")
        for name, kinds in OF_KINDS.items():
            if getattr(self, name) == type(self).model_fields[name].default:
                continue
            if self.kind not in kinds:
                raise ValueError(f"field '{self.column}': `{name}` is a setting of kind {' or '.join(kinds)}")
            if self.shares and name in OF_OWNER:
                raise ValueError(f"field '{self.column}': `{name}` is that of the field that it shares with")
        if self.unit == "words" and self.ngram != type(self).model_fields["ngram"].default:
            raise ValueError(f"field '{self.column}': `ngram` needs `unit: ngrams` or `unit: both`")
        return self

    @property
    def label(self) -> str:
        """The field's name: its own, or else made from its column."""
        return self.name or (f"history_{self.column}" if self.source == "history" else self.column)


class FeatureSpec(Config):
    """The fields of a model, in order. Inferred from a store by `infer_spec`, edited as YAML.

    `left_out` records the columns that inference did not use and why; it has no effect.
    """

    fields: tuple[Field, ...]
    left_out: dict[str, str] = Bound(default_factory=dict)

    def expand(self, columns: dict[Source, list[str]]) -> FeatureSpec:
        """Replace column patterns by the columns they match and check every name.

        Args:
            columns: the columns that each source has.

        Raises:
            CorankError: a column does not exist, a pattern matches nothing, two fields have one name, or a
                field shares with one that is not there or not like it.
        """
        fields: list[Field] = []
        for field in self.fields:
            there = columns[field.source]
            if any(mark in field.column for mark in "*?["):
                matches = [column for column in there if fnmatchcase(column, field.column)]
                if not matches:
                    raise CorankError(
                        f"feature spec: pattern '{field.column}' matches no {field.source} column"
                    )
                if field.name and len(matches) > 1:
                    raise CorankError(
                        f"feature spec: pattern '{field.column}' matches {len(matches)} columns, "
                        f"which cannot all be named '{field.name}'"
                    )
                fields += [field.model_copy(update={"column": column}) for column in matches]
            elif field.column in there:
                fields.append(field)
            else:
                hint = nearest(field.column, there)
                raise CorankError(f"feature spec: no {field.source} column '{field.column}'{hint}")
        labels = [field.label for field in fields]
        for label in labels:
            if labels.count(label) > 1:
                raise CorankError(f"feature spec: two fields are named '{label}'; give one a `name`")
        by_label = {field.label: field for field in fields}
        for place, field in enumerate(fields):
            if field.shares is None:
                continue
            other = by_label.get(field.shares)
            if other is None:
                hint = nearest(field.shares, labels)
                raise CorankError(
                    f"feature spec: '{field.label}' shares with '{field.shares}', unknown{hint}"
                )
            if field.kind == "text" and other.kind != "text":
                raise CorankError(
                    f"feature spec: '{field.label}' is a text and cannot share with '{field.shares}', "
                    f"which is of kind {other.kind}"
                )
            if other.kind not in ("id", "sequence", field.kind) or other.shares:
                raise CorankError(
                    f"feature spec: '{field.label}' cannot share with '{field.shares}', "
                    "which has no vocabulary of its own"
                )
            if field.width not in (None, other.width):
                raise CorankError(
                    f"feature spec: '{field.label}' shares embeddings with '{field.shares}', of width "
                    f"{other.width or 'as the model has'}, and cannot have width {field.width}"
                )
            if (field.unit, field.ngram) != (other.unit, other.ngram):
                raise CorankError(
                    f"feature spec: '{field.label}' shares with '{field.shares}' and must be hashed alike: "
                    f"`unit: {other.unit}`, `ngram: {other.ngram}`"
                )
            fields[place] = field.model_copy(update={"width": other.width})
        return FeatureSpec(fields=tuple(fields), left_out=self.left_out)

    def write(self, path: Path) -> None:
        """Write as YAML, one field a line, without the settings that are at their defaults."""
        lines = ["# One field a line; column patterns like `user_touches*` are allowed.", "fields:"]
        for field in self.fields:
            text = yaml.safe_dump(
                field.model_dump(exclude_defaults=True),
                default_flow_style=True,
                sort_keys=False,
                width=10_000,
            )
            lines.append(f"  - {text.strip()}")
        if self.left_out:
            lines.append(yaml.safe_dump({"left_out": self.left_out}, sort_keys=True, width=10_000).rstrip())
        with whole_file(path) as aside:
            aside.write_text("\n".join(lines) + "\n", encoding="utf-8")
