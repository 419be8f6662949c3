"""Typed, frozen, nested configurations: made from files and `a.b=c` settings, never silently lenient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from corank.errors import CorankError, nearest


class Config(BaseModel):
    """Base of every configuration: immutable, and an unknown key is an error that names the nearest one.

    >>> class Demo(Config):
    ...     rate: float = 0.1
    >>> Demo.parse({"rate": 1}).with_settings(["rate=0.5"]).rate
    0.5
    >>> Demo.parse({"rat": 1}, where="demo.yaml")
    Traceback (most recent call last):
    ...
    corank.errors.CorankError: demo.yaml: unknown key 'rat'; did you mean 'rate'?
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: str = "") -> Self:
        """Build from plain values, as read from YAML or JSON.

        Raises:
            CorankError: a key is unknown, or a value has the wrong type or range.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise CorankError(_sentence(cls, error, where)) from None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Build from a YAML (or JSON) file.

        Raises:
            CorankError: the file cannot be read, is not a mapping, or does not fit the configuration.
        """
        values = read_yaml(path)
        if not isinstance(values, dict):
            raise CorankError(f"{path}: expected a mapping of keys to values, found {type(values).__name__}")
        return cls.parse(values, where=str(path))

    def refuse_unused(self, used: bool, fields: str, needs: str) -> None:
        """For validators: what nothing reads may not be set, or a user's setting would be skipped silently.

        Args:
            used: whether the fields are read.
            fields: their names, separated by spaces.
            needs: what they are of use with, in words.

        Raises:
            ValueError: one of them is not as it is by default.
        """
        for name in () if used else fields.split():
            if getattr(self, name) != type(self).model_fields[name].get_default(call_default_factory=True):
                raise ValueError(f"'{name}' is of use with {needs} only")

    def with_settings(self, settings: Iterable[str], where: str = "--set") -> Self:
        """A copy with `a.b=c` settings applied; values are read as YAML.

        Raises:
            CorankError: a setting is not of the form `a.b=c`, or names no key, or does not fit.
        """
        values = self.model_dump(mode="json")
        for setting in settings:
            path, equals, text = setting.partition("=")
            keys = path.strip().split(".")
            if not equals or not all(keys):
                raise CorankError(f"{where}: '{setting}' is not of the form key.subkey=value")
            try:
                value = yaml.safe_load(text)
            except yaml.YAMLError:
                raise CorankError(f"{where}: the value of '{setting}' is not valid YAML") from None
            node = values
            for depth, key in enumerate(keys[:-1]):
                if _model_at(type(self), keys[:depth]) is None:  # a mapping, whose names are free
                    node.setdefault(key, {})
                if not isinstance(node.get(key), dict):
                    inside = ".".join(keys[:depth]) or "the configuration"
                    raise CorankError(
                        f"{where}: '{setting}' names no group '{key}' in {inside}{nearest(key, node)}"
                    )
                node = node[key]
            node[keys[-1]] = value
        return type(self).parse(values, where=where)


def read_yaml(path: Path) -> Any:
    """The plain values in a YAML file.

    Raises:
        CorankError: the file is missing, unreadable or not YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CorankError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CorankError(f"{path}: cannot be read ({error.__class__.__name__})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise CorankError(f"{path}: not valid YAML{line}") from None


def _sentence(model: type[BaseModel], error: ValidationError, where: str) -> str:
    """One sentence for the first thing wrong."""
    first = error.errors()[0]
    place = f"{where}: " if where else ""
    keys = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        parent = _model_at(model, keys[:-1])
        inside = f" in '{'.'.join(keys[:-1])}'" if keys[:-1] else ""
        hint = nearest(keys[-1], parent.model_fields) if parent else ""
        return f"{place}unknown key '{keys[-1]}'{inside}{hint}"
    message = _expected(first)
    if not keys:
        return f"{place}{message}"
    if first["type"] == "value_error" and isinstance(first["input"], Mapping):  # of a group, and says of what
        return f"{place}in '{'.'.join(keys)}': {message}"
    return f"{place}'{'.'.join(keys)}' = {first['input']!r}: {message[0].lower()}{message[1:]}"


def _expected(error: ErrorDetails) -> str:
    """What was expected, in the words of who writes settings."""
    if error["type"] in ("tuple_type", "list_type"):
        return "expected a list, such as [a, b]"
    if error["type"] == "too_short":
        return "expected a list of {min_length} or more, found {actual_length}".format_map(error["ctx"])
    return error["msg"].removeprefix("Value error, ")


def _model_at(model: type[BaseModel], keys: list[str]) -> type[BaseModel] | None:
    """The nested configuration class at `keys`, to offer its keys as choices."""
    for key in keys:
        info = model.model_fields.get(key)
        annotation = info.annotation if info else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        model = annotation
    return model
