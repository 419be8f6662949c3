"""The facts of each run: seed, parameters by part, time, samples, versions, configuration."""

from __future__ import annotations

import json
from collections.abc import Sequence

from corank.evaluation.runs import RunFacts
from corank.report.runs import Model, mapping, number
from corank.report.sections import ABSENT, Cell, Section, Table


def facts_section(models: Sequence[Model]) -> Section:
    """A table of all runs, and their configurations folded away."""
    runs = [run for model in models for run in model.runs]
    parts = list(dict.fromkeys(part for run in runs for part in mapping(run.run.get("parameters"))))
    parts.sort(key=lambda part: part == "total")
    header = ("Run", *(part.capitalize() for part in parts), "Time", "Best on validation", "Samples")
    rows = tuple(_row(run, parts) for run in runs)
    details = tuple((f"{run.folder.name}: configuration and versions", _details(run)) for run in runs)
    return Section(
        "facts",
        "Runs",
        tables=(Table("Parameters by part, training time, best step, and samples.", header, rows),),
        details=details,
    )


def _row(run: RunFacts, parts: Sequence[str]) -> tuple[Cell, ...]:
    parameters, best = mapping(run.run.get("parameters")), mapping(run.run.get("best_metric"))
    value, step = number(best.get("value")), number(run.run.get("best_step"))
    counts = [number(parameters.get(part)) for part in parts]
    return (
        Cell(run.folder.name, (run.model, f"seed {ABSENT if run.seed is None else run.seed}")),
        *(Cell(ABSENT if count is None else f"{count:,.0f}") for count in counts),
        Cell(_duration(number(run.run.get("seconds")))),
        Cell(
            ABSENT if value is None else f"{best.get('name', '')} {value:.4f}",
            () if step is None else (f"step {step:,.0f}",),
        ),
        Cell(run.fingerprint[:12] or ABSENT),
    )


def _details(run: RunFacts) -> str:
    shown = {"config": run.config, "versions": mapping(run.run.get("versions"))}
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ABSENT
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
