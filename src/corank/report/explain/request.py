"""Why items of one request have their scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from corank.explain.result import Contribution, ItemExplanation, RequestExplanation
from corank.report.canvas import COLOURS, legend, picture, short
from corank.report.explain.layers import Named
from corank.report.sections import Cell, Picture, Section, Table

EXACT = 1e-3
"""A larger gap is told: contributions then do not sum to the score."""
_ACROSS = 3
_FIELDS = 8


def request_section(named: Named) -> Section | None:
    """The items explained, of each model that has any."""
    asked = [(label, one.request) for label, one in named if one.request is not None]
    if not asked:
        return None
    notes, pictures, tables = [], [], []
    for label, request in asked:
        prefix = f"{label}, " if len(asked) > 1 else ""
        notes.append(
            f"{prefix}Request {request.request_id} of the split {request.split}: {len(request.items)} of its "
            f"{request.listed} items, task {request.task}. Baseline: {request.baseline_is}."
        )
        notes += [
            f"{prefix}item {item.item_id}: contributions miss the score by {item.gap:+.4f}."
            for item in request.items
            if abs(item.gap) > EXACT
        ]
        pictures.append(_picture(f"{label}, request {request.request_id}", request))
        tables += [_table(item, request) for item in request.items]
    notes.append(
        "Contributions are in logits: they say what the model made of its inputs, not what makes users click."
    )
    return Section("request", "One request explained", tuple(notes), tuple(tables), tuple(pictures))


def title_of(item: ItemExplanation) -> str:
    """An item in a few words."""
    outcome = "clicked" if item.clicked else "shown" if item.exposed else "not shown"
    return f"item {item.item_id}, place {item.place}, score {item.score:.3f}, {outcome}"


def parts_of(item: ItemExplanation, request: RequestExplanation) -> list[Contribution]:
    """Groups, the larger contributions first; of those asked for, fields after them."""
    parts: list[Contribution] = []
    for group in sorted(item.groups, key=lambda one: -abs(one.gradients)):
        parts.append(group)
        if group.name in request.opened:
            fields = sorted(group.fields, key=lambda one: -abs(one.gradients))
            parts += [one.model_copy(update={"name": f"{group.name}: {one.name}"}) for one in fields]
    return parts


def _drawn(request: RequestExplanation) -> list[list[Contribution]]:
    """The parts of each item in one order, by their mean size; of fields asked for, the largest alone."""
    by_name = [{one.name: one for one in parts_of(item, request)} for item in request.items]
    size = {name: sum(abs(parts[name].gradients) for parts in by_name) for name in by_name[0]}
    order: list[str] = []
    for group in sorted((one.name for one in request.items[0].groups), key=lambda name: -size[name]):
        fields = sorted(
            (name for name in size if name.startswith(f"{group}: ")), key=lambda name: -size[name]
        )
        order += [group, *fields[:_FIELDS]]
    return [[parts[name] for name in order] for parts in by_name]


def _picture(title: str, request: RequestExplanation) -> Picture:
    parts = _drawn(request)
    down = -(-len(parts) // _ACROSS)
    words = "; ".join(
        f"{title_of(item)}: {mine[0].name} {mine[0].gradients:+.2f}"
        for item, mine in zip(request.items, parts, strict=True)
    )
    largest = (
        f" Of the fields of {', '.join(request.opened)}, at most {_FIELDS} are drawn."
        if request.opened
        else ""
    )
    return picture(
        title,
        f"Bars of contributions by feature group; the largest of each item: {words}",
        "To the right: raises the score above the baseline's; to the left: lowers it. The two bars agree "
        f"where a group acts alone, and differ where groups act together.{largest}",
        lambda figure: _draw(figure, request, parts),
        size=(9.2, down * (0.9 + 0.26 * len(parts[0])) + 0.4),
    )


def _draw(figure: Figure, request: RequestExplanation, parts: Sequence[Sequence[Contribution]]) -> None:
    down = -(-len(parts) // _ACROSS)
    across = min(_ACROSS, len(parts))
    panels = list(figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel())
    for place, axes in enumerate(panels):
        if place >= len(parts):
            axes.axis("off")
            continue
        mine, item = parts[place], request.items[place]
        at = np.arange(len(mine))
        axes.barh(
            at - 0.19, [one.gradients for one in mine], 0.36, color=COLOURS[0], label="integrated gradients"
        )
        axes.barh(at + 0.19, [one.ablation for one in mine], 0.36, color=COLOURS[1], label="ablation")
        axes.axvline(0, color="#8f8c85", linewidth=0.8)
        axes.set_yticks(at, [short(one.name.rpartition(": ")[2], 24) for one in mine])
        if place % across == 0:
            for tick, one in zip(axes.get_yticklabels(), mine, strict=True):
                tick.set_fontweight("normal" if ": " in one.name else "bold")
        axes.set_ylim(len(mine) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_title(title_of(item).replace(", score", "\nscore"), fontsize=8.5)
        axes.set_xlabel("Logits")
    legend(figure, panels[0])


def _table(item: ItemExplanation, request: RequestExplanation) -> Table:
    rows = [
        (Cell(one.name), Cell(f"{one.gradients:+.3f}"), Cell(f"{one.ablation:+.3f}"))
        for one in parts_of(item, request)
    ]
    rows.append(
        (
            Cell("Sum, and the baseline's logit"),
            Cell(f"{item.logit - item.baseline_logit - item.gap:+.3f}"),
            Cell(""),
        )
    )
    rows[-1] = (Cell("Sum", (f"from {item.baseline_logit:+.3f} to {item.logit:+.3f}",)), *rows[-1][1:])
    return Table(
        title_of(item) + ".", ("Group", "Integrated gradients", "Ablation"), tuple(rows), folded=True
    )
