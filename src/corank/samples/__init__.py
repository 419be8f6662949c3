"""Log tables to list-wise training samples.

The data engine is imported when a build starts, so that reading a manifest needs none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corank.samples.config import SampleConfig
from corank.samples.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    from corank.samples.build import build_samples

__all__ = ["Manifest", "SampleConfig", "build_samples", "read_manifest"]


def __getattr__(name: str) -> Any:
    if name == "build_samples":
        from corank.samples.build import build_samples

        return build_samples
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
