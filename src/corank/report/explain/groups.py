"""Which tokens and feature groups mix with which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

import numpy as np
from matplotlib.figure import Figure

from corank.explain import Explanation
from corank.explain.result import Shares
from corank.report.canvas import picture
from corank.report.explain.layers import Named
from corank.report.heat import Ticks, draw_lift, draw_shares, lift_bar, shares_scale
from corank.report.sections import Cell, Picture, Section, Table

T = TypeVar("T")
Permuted = tuple[tuple[int, ...], str, tuple[str, ...]]
"""Of a permutation: its order, what is moved, and what each token holds."""

_MANY = 12
"""From so many rows on, shares are shown by colour alone."""


def groups_section(named: Named) -> Section | None:
    """Shares between tokens and between groups, layer by layer; nothing where no model has any."""
    pictures: list[Picture] = []
    tables: list[Table] = []
    for label, one in named:
        grouped = [(layer.name, layer.by_group) for layer in one.layers if layer.by_group is not None]
        tokens = [(layer.name, layer.by_token) for layer in one.layers if layer.by_token is not None]
        pictures += [_permutation(label, name, one) for name, one in _alike(_permutations(one))]
        if grouped:
            pictures.append(_picture(f"{label}: by what tokens hold", "what they hold", _alike(grouped)))
        if tokens and len(tokens[0][1].columns) > len(grouped[0][1].columns if grouped else ()):
            holding = {token.name: " + ".join(token.groups) for token in one.tokens}
            named_tokens = [(name, _named(shares, holding)) for name, shares in tokens]
            pictures.append(_picture(f"{label}: by token", "token", _alike(named_tokens)))
        if one.tokens and tokens:
            tables.append(_tokens(label, one))
    if not pictures:
        return None
    note = (
        "A row is what the mixing gives to a token, before the residual is added. Tokens that hold the same "
        "feature groups are put together: columns are summed, rows are means. What a token holds is what it "
        "was made of; from the second layer on it also carries what the layers before mixed into it."
    )
    return Section("groups", "Which feature groups mix with which", (note,), tuple(tables), tuple(pictures))


def _alike(named: Sequence[tuple[str, T]]) -> list[tuple[str, T]]:
    """Neighbouring layers of which the same is to be shown as one: `layers 1 to 4`."""
    found = []
    for value, members in groupby(named, key=itemgetter(1)):
        names = [name for name, _ in members]
        last = names[-1].removeprefix("layer ")
        found.append(
            (names[0] if len(names) == 1 else f"{names[0].replace('layer', 'layers')} to {last}", value)
        )
    return found


def _permutations(one: Explanation) -> list[tuple[str, Permuted]]:
    holds = tuple(" + ".join(token.groups) for token in one.tokens)
    return [(layer.name, (layer.order, layer.unit, holds)) for layer in one.layers if layer.order is not None]


def _permutation(label: str, name: str, permuted: Permuted) -> Picture:
    order, unit, holds = permuted
    size = len(order)
    ticks = Ticks(holds, size / len(holds)) if holds and size % len(holds) == 0 else None

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        draw_shares(axes, np.eye(size)[list(order)], shares_scale(size), ticks, labelled=True)

    return picture(
        f"{label}, {name}: the fixed matrix",
        f"A permutation matrix of {size} by {size}: every {unit} of the result is one of the input",
        f"Each row has one bright dot: the {unit} that stands there after mixing. It is never trained.",
        draw,
        size=(5.0, 4.2),
    )


def _named(shares: Shares, holding: Mapping[str, str]) -> Shares:
    """With what tokens hold beside the names of rows, where these do not say it."""
    rows = [f"{name}: {holding[name]}" if holding.get(name, name) != name else name for name in shares.rows]
    return shares.model_copy(update={"rows": tuple(rows)})


def _picture(title: str, unit: str, named: Sequence[tuple[str, Shares]]) -> Picture:
    name, first = named[0]
    kept = ", ".join(
        f"{row} from {column} {first.values[i][i]:.0%}"
        for i, (row, column) in enumerate(zip(first.rows[:4], first.columns[:4], strict=False))
        if row == column
    )
    rows, columns = max(len(one.rows) for _, one in named), max(len(one.columns) for _, one in named)
    text = max(rows, columns) <= _MANY
    across = 1 if columns > _MANY else min(2, len(named))
    down = -(-len(named) // across)
    height = 1.5 + (0.36 if text else 0.15) * rows
    return picture(
        title,
        f"Heat maps of shares by {unit} in {len(named)} layers; {name}: {kept or 'rows are other tokens'}",
        "To each row, from each column. White: as much as if all tokens gave alike; orange more, blue less. "
        "Two groups that are orange to one another mix; orange on the diagonal: a group keeps to itself.",
        lambda figure: _draw(figure, named, across, text),
        size=(9.2 if across == 2 or columns > _MANY else 6.4, down * height + 0.2),
    )


def _draw(figure: Figure, named: Sequence[tuple[str, Shares]], across: int, text: bool) -> None:
    down = -(-len(named) // across)
    panels = list(figure.subplots(down, across, squeeze=False).ravel())
    for place, axes in enumerate(panels):
        if place >= len(named):
            axes.axis("off")
            continue
        name, one = named[place]
        values, even = np.array(one.values), np.array(one.even)
        same = place % across > 0 and one.rows == named[place - 1][1].rows
        draw_lift(axes, values, even, [""] * len(one.rows) if same else one.rows, one.columns, text)
        axes.set_title(f"{name}: to (row) from (column)", fontsize=9)
    lift_bar(figure, panels)


def _tokens(label: str, one: Explanation) -> Table:
    rows = []
    for token in one.tokens:
        total = sum(token.groups.values())
        groups = ", ".join(f"{group} {count / total:.0%}" for group, count in token.groups.items())
        rows.append((Cell(token.name), Cell(groups), Cell(", ".join(token.fields))))
    caption = f"{label}: what each token is made of, by embedding numbers."
    return Table(caption, ("Token", "Groups", "Fields"), tuple(rows), numbers=False, folded=True)
