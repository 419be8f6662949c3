"""What a study has found: conditions with their metrics, and directions with their verdicts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corank.evaluation.intervals import Difference, Estimate
from corank.study.conditions import Condition
from corank.study.config import StudyConfig
from corank.study.contrasts import Contrast
from corank.study.draws import METRICS
from corank.study.rows import Row

NOTE = "Simulated: the log is a marketplace's with known truth, not of real users."
TESTS = tuple(f"{space}.{name}" for space, names in METRICS.items() for name in names)
"""The metrics of both tests."""
TITLES = {
    "exposed.gauc": "GAUC, exposed",
    "exposed.auc": "AUC, exposed",
    "exposed.ndcg@10": "NDCG@10, exposed",
    "exposed.hr@5": "HR@5, exposed",
    "exposed.logloss": "Log loss, exposed",
    "all_channels.gauc": "GAUC, all channels",
    "all_channels.ndcg@10": "NDCG@10, all channels",
    "all_channels.purchase_gauc": "GAUC of purchases, all channels",
    "all_channels.purchase_ndcg@10": "NDCG@10 of purchases, all channels",
    "all_channels.purchase_recall@10": "ASPH@10, all channels",
}


@dataclass(frozen=True)
class Found:
    """What a condition came to: the seeds that count, and each metric with its interval."""

    condition: Condition
    runs: tuple[Row, ...]
    values: dict[str, Estimate]


@dataclass(frozen=True)
class Direction:
    """A contrast and what it came to, by metric; empty while a condition of it has no run."""

    contrast: Contrast
    found: dict[str, Difference]
    verdicts: dict[str, str]


@dataclass(frozen=True)
class StudyResult:
    """A study as far as it goes."""

    name: str
    folder: Path
    config: StudyConfig
    complete: bool
    conditions: tuple[Found, ...]
    directions: tuple[Direction, ...]

    def of(self, condition: Condition) -> Found:
        """What a condition came to."""
        return next(found for found in self.conditions if found.condition == condition)

    def end_of_rates(self, found: Found) -> str:
        """`lowest` or `highest` where a condition chose that rate: a better one may lie beyond."""
        rates = sorted(self.config.rates)
        if not found.runs or len(rates) < 2:
            return ""
        return {rates[0]: "lowest", rates[-1]: "highest"}.get(found.runs[0].rate, "")

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "study": self.name,
            "note": NOTE,
            "folder": str(self.folder),
            "config": self.config.model_dump(mode="json"),
            "complete": self.complete,
            "conditions": [
                {
                    "condition": found.condition.key,
                    "seeds": len(found.runs),
                    "metrics": {name: asdict(value) for name, value in found.values.items()},
                }
                for found in self.conditions
            ],
            "directions": [
                {
                    "direction": one.contrast.name,
                    "size": one.contrast.size,
                    "budget": one.contrast.budget,
                    "claim": one.contrast.claim,
                    "expected": one.contrast.expected,
                    "metrics": {name: asdict(value) for name, value in one.found.items()},
                    "verdicts": one.verdicts,
                }
                for one in self.directions
            ],
        }
