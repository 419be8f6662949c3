"""Results as tables on the terminal."""

from corank.screen.abtest import abtest_parts
from corank.screen.audit import audit_parts, findings
from corank.screen.explanation import explanation_parts
from corank.screen.results import (
    check_parts,
    comparison_table,
    evaluation_tables,
    model_parts,
    samples_parts,
    size_table,
    stage_table,
)
from corank.screen.study import study_parts
from corank.screen.tables import show, table

__all__ = [
    "abtest_parts",
    "audit_parts",
    "check_parts",
    "comparison_table",
    "evaluation_tables",
    "explanation_parts",
    "findings",
    "model_parts",
    "samples_parts",
    "show",
    "size_table",
    "stage_table",
    "study_parts",
    "table",
]
