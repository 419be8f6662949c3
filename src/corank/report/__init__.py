"""One self-contained HTML file about runs: what they reached, how sure that is, how they were trained."""

from corank.report.build import report

__all__ = ["report"]
