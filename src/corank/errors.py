"""The one exception a user's mistake ends in, and the words that help to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CorankError(ValueError):
    """A mistake in what was given: one clear sentence (what, where, expected, nearest name).

    The command line prints it without a traceback and exits with status 2; a bug in corank raises
    anything else.
    """


class Diverged(CorankError):
    """Training came to a loss or scores that are not numbers."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """A closing hint: the choice that `name` most likely meant, or the choices if they are few.

    >>> nearest("rankmixr", ["dcnv2", "rankmixer"])
    "; did you mean 'rankmixer'?"
    >>> nearest("x", ["train", "test"])
    '; expected one of test, train'
    """
    known = sorted(choices)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    if len(known) <= 30:
        return "; expected one of " + ", ".join(known)
    return ""


def unknown(what: str, name: str, choices: Iterable[str], where: str = "") -> CorankError:
    """The error for a name that is not among the choices.

    >>> str(unknown("model", "dcnv3", ["dcnv2", "rankmixer"]))
    "unknown model 'dcnv3'; did you mean 'dcnv2'?"
    """
    place = f" in {where}" if where else ""
    return CorankError(f"unknown {what} '{name}'{place}{nearest(name, choices)}")
