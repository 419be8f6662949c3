"""A run looked into, as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from corank.explain import Explanation
from corank.explain.result import ItemExplanation, Layer, RequestExplanation, StateStatistics
from corank.screen.tables import table


def explanation_parts(one: Explanation) -> list[Table | str]:
    """The layers, their course over training, which groups mix, and the request asked for."""
    parts: list[Table | str] = []
    if one.layers:
        parts.append(_layers(one))
    if one.requests and one.layers:
        parts.append(_states(one))
    if one.training:
        parts.append(_training(one))
    parts += [table_ for layer in one.layers for table_ in _groups(layer)]
    if one.request is not None:
        parts += _request(one.request)
    return [*parts, *(f"Note: {note}" for note in one.notes)]


def _layers(one: Explanation) -> Table:
    simulated = ", of a simulated log" if one.simulated else ""
    rows = []
    for layer in one.layers:
        mixing = layer.mixing
        figures = (
            ["-"] * 4
            if mixing is None
            else [
                f"{mixing.sparsity:.3f}",
                f"{mixing.sources:.1f}",
                f"{mixing.rank:.1f}",
                f"{mixing.kept:.3f}",
            ]
        )
        tau = "-" if layer.tau is None else f"{layer.tau:.3f}"
        inside = "-" if layer.local is None else f"{layer.local.kept:.3f}"
        rows.append([layer.name, layer.kind, layer.unit, layer.size or "-", tau, *figures, inside])
    columns = [
        "layer",
        "matrix",
        "a row is a",
        "rows",
        "tau",
        "sparsity",
        "sources",
        "rank",
        "kept",
        "kept inside",
    ]
    return table(f"{one.model}: mixing, kept weights{simulated}", columns, rows, left=3)


def _states(one: Explanation) -> Table:
    rows = []
    for layer in one.layers:
        for where, states in (("before", layer.before), ("after", layer.after)):
            if states is not None:
                rows.append([layer.name, where, *_state(states)])
    return table(
        f"Hidden states of {one.samples:,} samples of {one.requests:,} requests of the split {one.split}",
        ["layer", "mixing", "tokens", "width", "rank", "rank in a sample", "concentration"],
        rows,
        left=2,
    )


def _state(states: StateStatistics) -> list[object]:
    concentration = "-" if states.concentration is None else f"{states.concentration:.3f}"
    return [states.tokens, states.width, f"{states.rank:.1f}", f"{states.rank_in_sample:.1f}", concentration]


def _training(one: Explanation) -> Table:
    rows = [
        [
            moment.layer,
            moment.step,
            f"{moment.tau:.3f}",
            f"{moment.mixing.sparsity:.3f}",
            f"{moment.mixing.sources:.1f}",
            f"{moment.mixing.rank:.1f}",
            f"{moment.mixing.kept:.3f}",
            "-" if moment.local is None else f"{moment.local.kept:.3f}",
        ]
        for moment in one.training
    ]
    columns = ["layer", "step", "tau", "sparsity", "sources", "rank", "kept", "kept inside"]
    return table("Mixing over training", columns, rows)


def _groups(layer: Layer) -> Iterator[Table]:
    shares = layer.by_group
    if shares is not None:
        rows = [
            [name, *(f"{value:.1%}" for value in values)]
            for name, values in zip(shares.rows, shares.values, strict=True)
        ]
        rows.append(["(if all were averaged)", *(f"{value:.1%}" for value in shares.even)])
        yield table(
            f"{layer.name}: what a row's tokens take from each column's", ["to", *shares.columns], rows
        )


def _request(request: RequestExplanation) -> Iterator[Table | str]:
    yield (
        f"Request {request.request_id} of {request.split}, {len(request.items)} of {request.listed} items, "
        f"task {request.task}, in logits. Baseline {request.baseline}: {request.baseline_is}."
    )
    for item in request.items:
        yield _item(item, request)


def _item(item: ItemExplanation, request: RequestExplanation) -> Table:
    rows: list[list[object]] = []
    for group in sorted(item.groups, key=lambda one: -abs(one.gradients)):
        rows.append([group.name, f"{group.gradients:+.4f}", f"{group.ablation:+.4f}"])
        if group.name in request.opened:
            rows += [
                [f"  {field.name}", f"{field.gradients:+.4f}", f"{field.ablation:+.4f}"]
                for field in group.fields
            ]
    total = item.logit - item.baseline_logit - item.gap
    rows.append([f"sum (the integral misses {item.gap:+.1e})", f"{total:+.4f}", ""])
    outcome = "clicked" if item.clicked else "shown" if item.exposed else "not shown"
    title = (
        f"Item {item.item_id}, place {item.place}, {outcome}: score {item.score:.4f}, "
        f"logit {item.logit:+.4f} from {item.baseline_logit:+.4f} of the baseline"
    )
    return table(title, ["group", "integrated gradients", "ablation"], rows)
