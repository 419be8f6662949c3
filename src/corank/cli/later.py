"""Rooms that are imported at the first use of them: help and a mistyped option do not wait for torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["demo", "registry", "screen", "studies", "verbs"]


class Later:
    """Stands for a module, and imports it when something of it is asked for.

    Args:
        name: of the module.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


if TYPE_CHECKING:
    from corank import demo, screen, verbs
    from corank import study as studies
    from corank.models import registry
else:
    demo, screen, verbs = (Later(f"corank.{room}") for room in ("demo", "screen", "verbs"))
    studies, registry = Later("corank.study"), Later("corank.models.registry")
