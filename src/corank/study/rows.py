"""One row a run that has finished: all that resuming needs."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from corank.errors import CorankError
from corank.files import write_csv

Kind = Literal["trial", "final"]
_TEST = "test_"


@dataclass(frozen=True)
class Row:
    """A run.

    Attributes:
        condition: the key of its condition.
        kind: a trial of a learning rate, judged on validation alone, or one of the seeds that count.
        rate: the learning rate.
        seed: of weights and order.
        valid: the best validation GAUC of exposed samples; None if training diverged.
        best_step, steps: when that was, of how many.
        parameters, dense_parameters: all, and those beside the embedding tables.
        flops_a_sample: of a forward pass, a sample with its share of the request.
        seconds: of training, by the clock.
        samples: fingerprint of the training samples.
        versions: what the figures depend on.
        test: metrics of the test split by `space.metric`; empty for a trial.
    """

    condition: str
    kind: Kind
    rate: float
    seed: int
    valid: float | None
    best_step: int
    steps: int
    parameters: int
    dense_parameters: int
    flops_a_sample: int
    seconds: float
    samples: str
    versions: str
    test: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of what it leaves behind."""
        return run_name(self.condition, self.rate, self.seed)

    @property
    def identity(self) -> tuple[str, str, float, int]:
        """What no two rows share."""
        return self.condition, self.kind, self.rate, self.seed


def run_name(condition: str, rate: float, seed: int) -> str:
    """The name of a run's folder and files."""
    return f"{condition}-lr{rate:g}-seed{seed}"


def read_rows(path: Path) -> list[Row]:
    """The rows of a file; none if it is not there.

    Raises:
        CorankError: it holds something else.
    """
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return [_row(line) for line in csv.DictReader(stream)]
    except (KeyError, ValueError, TypeError, AttributeError, UnicodeDecodeError, csv.Error):
        raise CorankError(f"{path}: not the runs of a study, or damaged") from None


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows, whole."""
    write_csv(
        path,
        [
            {name: value for name, value in vars(row).items() if name != "test"}
            | {f"{_TEST}{name}": round(value, 6) for name, value in row.test.items()}
            | {"simulated": True}
            for row in rows
        ],
    )


def _row(line: Mapping[str, str]) -> Row:
    values: dict[str, Any] = {}
    for one in fields(Row):
        if one.name == "test":
            continue
        text = line[one.name]
        plain = one.name in ("condition", "kind", "samples", "versions")
        values[one.name] = text if plain else json.loads(text) if text else None
    if values["kind"] not in ("trial", "final"):
        raise ValueError(values["kind"])
    test = {name[len(_TEST) :]: float(text) for name, text in line.items() if name.startswith(_TEST) and text}
    return Row(**values, test=test)
