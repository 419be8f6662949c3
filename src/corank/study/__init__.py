"""Studies of samples and models together: conditions trained alike, and what they say, run by run."""

from corank.study import widths as _widths
from corank.study.claims import codesign_claims
from corank.study.conditions import CODESIGN_PRESETS, codesign_conditions
from corank.study.pictures import dots, lines
from corank.study.study import Study, run_study

CODESIGN = Study("codesign", CODESIGN_PRESETS, codesign_conditions, codesign_claims, dots)
"""Samples and model together: the ablation table of UniScale."""
WIDTHS = Study("widths", _widths.PRESETS, _widths.conditions, _widths.claims, lines)
"""The two widths of HHSFT, and the samples, scaled: its Figure 4."""
STUDIES = {study.name: study for study in (CODESIGN, WIDTHS)}

__all__ = ["CODESIGN", "STUDIES", "WIDTHS", "Study", "run_study"]
