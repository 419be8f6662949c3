"""What verbs made, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from corank.evaluation.compare import CTCVR, Comparison
from corank.evaluation.evaluate import Evaluation
from corank.evaluation.intervals import Difference, Estimate
from corank.logs import LogReport
from corank.models.listing import ModelSize
from corank.samples.manifest import Manifest
from corank.screen.tables import table

HEADLINE = ("gauc", "auc", "mrr", "ndcg@10", "hr@5", "logloss", "ne", "calibration", *CTCVR)


def samples_parts(manifest: Manifest) -> list[Table | str]:
    """What a build made: stages, sizes by split, where labels and queries come from, fates of events."""
    train = manifest.sizes["train"]
    sources = {f"label: {name}": n for name, n in train.label_sources.items() if n}
    sources |= {f"query: {name}": n for name, n in train.query_sources.items() if n and name != "logged"}
    fates = {f"event: {name}": n for name, n in manifest.events.items() if n}
    return [
        stage_table(manifest),
        size_table(manifest),
        table(
            "Training labels and queries by source, and what became of events",
            ["", "count"],
            [*sources.items(), *fates.items()],
        ),
    ]


def stage_table(manifest: Manifest) -> Table:
    """The training split after each stage of the recipe, and relative to exposed samples alone."""
    first = manifest.stages["exposed"]
    rows: list[list[object]] = []
    for name, stage in manifest.stages.items():
        counts = [stage.requests, stage.samples, stage.clicks, stage.purchases]
        wholes = [first.requests, first.samples, first.clicks, first.purchases]
        ratios = [_times(part / whole if whole else None) for part, whole in zip(counts, wholes, strict=True)]
        rows.append([name, *(cell for pair in zip(counts, ratios, strict=True) for cell in pair)])
    columns = ["stage", "requests", "", "samples", "", "clicks", "", "purchases", ""]
    return table(f"Training samples by stage{_simulated(manifest)}", columns, rows)


def size_table(manifest: Manifest) -> Table:
    """Requests, samples and positives by split, and relative to exposed samples alone."""
    rows: list[list[object]] = []
    for split, size in manifest.sizes.items():
        total = size.total
        spaces = [size.exposed.samples, size.unexposed.samples, size.searchified.samples]
        ratios = [_times(size.samples_per_exposed), _times(size.clicks_per_exposed)]
        rows.append([split, size.requests, *spaces, total.clicks, total.purchases, *ratios])
    columns = [
        "split",
        "requests",
        "exposed",
        "unexposed",
        "searchified",
        "clicks",
        "purchases",
        "samples",
        "positives",
    ]
    return table(
        f"Samples, recipe {manifest.recipe}{_simulated(manifest)}"
        " (last two columns: relative to exposed only)",
        columns,
        rows,
    )


def _simulated(manifest: Manifest) -> str:
    return ", of a simulated log" if manifest.simulated else ""


def evaluation_tables(evaluation: Evaluation, title: str) -> list[Table]:
    """The headline metrics with intervals, a table for every space and a column for every slice."""
    tables = []
    for where, parts in evaluation.metrics.items():
        requests = [evaluation.sizes[where][part].requests for part in parts]
        rows: list[list[object]] = [["requests", *requests]]
        for name in (name for name in HEADLINE if name in next(iter(parts.values()))):
            estimates = [values[name] for values in parts.values()]
            if any(estimate.value is not None for estimate in estimates):
                rows.append([name, *(_estimate(estimate) for estimate in estimates)])
        tables.append(table(f"{title}, {where} items", ["metric", *parts], rows))
    return tables


def comparison_table(comparison: Comparison) -> Table:
    """Every model's metrics and its differences to the first; runs of one model are told by their folders."""
    names, rows = [model.name for model in comparison.models], []
    for name in comparison.models[0].values:
        for i, model in enumerate(comparison.models):
            label = model.name if names.count(model.name) == 1 else f"{model.name}, {model.runs[0]}"
            label += f" x {len(model.runs)}" if len(model.runs) > 1 else ""
            change = _difference(model.differences[name]) if i else "base"
            rows.append([name if i == 0 else "", label, _estimate(model.values[name]), change])
    return table(
        f"{comparison.split}, {comparison.space} items: difference to {comparison.models[0].name} [95 %]",
        ["metric", "model", "value", "difference"],
        rows,
        left=2,
    )


def check_parts(found: LogReport) -> list[Table | str]:
    """What a check found: the log at a glance, then a line for every broken rule."""
    broken = [f"{finding.severity}: {finding}" for finding in found.findings]
    rows = [[name, count] for name, count in found.summary.rows.items()]
    return [table(found.logs, ["table", "rows"], rows), *(broken or ["Every rule holds."])]


def model_parts(sizes: Sequence[ModelSize]) -> list[Table | str]:
    """Parameters by part and operations of each model; then those that do not fit the samples, and why."""
    fit = [size for size in sizes if size.misfit is None]
    parts = list(fit[0].parameters) if fit else []
    rows = [
        [size.name, *size.parameters.values(), flops.sample, flops.request, flops.step]
        for size in fit
        for flops in [size.flops["total"]]
    ]
    columns = ["model", *(part.replace("_", " ") for part in parts), "a sample", "a request", "a step"]
    shown = table("Parameters by part, and operations (FLOPs) of a forward pass", columns, rows)
    misfits = [f"{size.name} does not fit: {size.misfit}" for size in sizes if size.misfit is not None]
    return [*([shown] if fit else []), *misfits]


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}x"


def _estimate(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.4f}"
    return f"{estimate.value:.4f} ±{(estimate.high - estimate.low) / 2:.4f}"


def _difference(difference: Difference) -> str:
    if difference.value is None or difference.low is None or difference.high is None:
        return "-"
    clear = " *" if difference.low > 0 or difference.high < 0 else ""
    return f"{difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]{clear}"
