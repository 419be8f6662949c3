"""What an audit of a log is made with."""

from __future__ import annotations

from corank.samples.selection import Selection


class AuditConfig(Selection):
    """The settings of an audit of a log, with the names and defaults of `SampleConfig`.

    An audit of samples takes those that the samples were built with.
    """
