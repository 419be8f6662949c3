"""The pictures and tables of a run looked into, as a page of their own and as parts of the report."""

from corank.report.explain.page import explanation_page, write_explanation

__all__ = ["explanation_page", "write_explanation"]
