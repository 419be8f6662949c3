"""A study as two CSV files: what each condition came to, and each direction."""

from __future__ import annotations

from collections.abc import Sequence

from corank.files import write_csv
from corank.samples.manifest import Manifest
from corank.study.material import Material
from corank.study.result import Found, StudyResult


def write_tables(result: StudyResult) -> None:
    """Write conditions.csv and directions.csv, each whole."""
    material = Material(result.folder, result.config)
    facts = {
        "simulated": True,
        "market": " ".join(result.config.market) or "as frozen",
        "samples": " ".join(result.config.samples) or "by default",
        "log_seed": result.config.log_seed,
        "complete": result.complete,
    }
    conditions = [
        {
            "model": found.condition.model,
            "size": found.condition.size,
            "recipe": found.condition.recipe,
            "budget": found.condition.budget,
            "seeds": len(found.runs),
            "rate": found.runs[0].rate,
            "of_rates": result.end_of_rates(found),
            "steps": found.runs[0].steps,
            "parameters": found.runs[0].parameters,
            "dense_parameters": found.runs[0].dense_parameters,
            "flops_a_sample": found.runs[0].flops_a_sample,
            **_trained_on(material.manifest(found.condition.recipe)),
            **{
                f"{metric}{end}": _rounded(value)
                for metric, one in found.values.items()
                for end, value in (("", one.value), ("_low", one.low), ("_high", one.high))
            },
            **facts,
            "versions": _versions([found]),
        }
        for found in result.conditions
        if found.runs
    ]
    directions = [
        {
            "direction": one.contrast.name,
            "size": one.contrast.size,
            "budget": one.contrast.budget,
            "claim": one.contrast.claim,
            "expected": one.contrast.expected,
            "metric": metric,
            "difference": _rounded(value.value),
            "low": _rounded(value.low),
            "high": _rounded(value.high),
            "verdict": one.verdicts[metric],
            "plus": " + ".join(term.key for term in one.contrast.plus),
            "minus": " + ".join(term.key for term in one.contrast.minus),
            **facts,
            "versions": _versions([result.of(term) for term in (*one.contrast.plus, *one.contrast.minus)]),
        }
        for one in result.directions
        for metric, value in one.found.items()
    ]
    write_csv(result.folder / "conditions.csv", conditions)
    write_csv(result.folder / "directions.csv", directions)


def _trained_on(manifest: Manifest) -> dict[str, int]:
    """What the training split holds."""
    size = manifest.sizes["train"]
    return {
        "train_requests": size.requests,
        "train_samples": size.total.samples,
        "train_samples_searchified": size.searchified.samples,
        "train_clicks": size.total.clicks,
    }


def _versions(conditions: Sequence[Found]) -> str:
    """Of all their runs, each once."""
    return "; ".join(dict.fromkeys(row.versions for found in conditions for row in found.runs))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
