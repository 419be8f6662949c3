"""Studies of samples and models together: conditions trained alike, and what they say, run by run."""

from corank.study.codesign import codesign
from corank.study.widths import widths

__all__ = ["codesign", "widths"]
