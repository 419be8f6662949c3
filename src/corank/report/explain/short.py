"""What a run looked into comes to in a few sentences, and what the figures mean."""

from __future__ import annotations

from corank.explain import Explanation
from corank.explain.result import Layer
from corank.report.sections import Section

EVEN = 1.25
"""Below so many times an even share, what most goes from one group to another is not worth naming."""

METHOD = (
    "Shares: p_ij = |w_ij| / sum_j |w_ij|. Sparsity: the share of entries below 1 / (10 N), a tenth of what "
    "they are in an even row. Sources of a row: exp of the entropy of its shares, 1 to N. Kept: the share of "
    "the diagonal. All are means over rows; for attention, over heads and samples too.",
    "Effective rank: exp of the entropy of the singular values scaled to a sum of 1 (Roy and Vetterli 2007). "
    "Concentration: Hoyer's sparsity of a vector, 0 if all numbers are of one size, 1 if only one is not 0 "
    "(Hoyer 2004).",
    "Integrated gradients: the gradient along the straight line from the baseline's embeddings to the "
    "item's, times the way (Sundararajan, Taly and Yan 2017); all sum to the logit less the baseline's. "
    "Ablation: the logit less that with one group alone put at its baseline.",
    "Mixing weights are not causes: a block may take much of another that the feed-forward then ignores, and "
    "the residual carries every token past the mixing.",
)


def short_section(one: Explanation) -> Section:
    """What is there, layer by layer, and what is not."""
    where = f", best at step {one.best_step:,}" if one.best_step is not None else ""
    simulated = " Its log is a simulation." if one.simulated else ""
    notes = [f"{one.model}, seed {one.seed}{where}.{simulated}"]
    notes += [_sentence(layer) for layer in one.layers]
    return Section("short", "In short", (*notes, *one.notes))


def method_section() -> Section:
    """The definitions."""
    return Section("method", "What the figures mean", METHOD)


def _sentence(layer: Layer) -> str:
    mixing = layer.mixing
    if mixing is None:
        return f"{layer.name.capitalize()} ({layer.kind}): no figures."
    tau = "" if layer.tau is None else f" at temperature {layer.tau:.2f}"
    sentence = (
        f"{layer.name.capitalize()} ({layer.kind}{tau}): a {layer.unit} takes from {mixing.sources:.1f} of "
        f"{layer.size:,}, {mixing.sparsity:.0%} of the entries are empty, effective rank {mixing.rank:.1f}."
    )
    most = lifted(layer)
    if most is None:
        return sentence
    if most[2] < EVEN:
        return f"{sentence} Tokens that hold different groups mix about evenly."
    row, column, lift = most
    return f"{sentence} Beyond even, most goes to '{row}' from '{column}' ({lift:.1f} times even)."


def lifted(layer: Layer) -> tuple[str, str, float] | None:
    """The two different groups of a layer that mix most beyond even, and how many times even."""
    found = [
        (layer.by_group.values[i][j] / layer.by_group.even[j], row, column)
        for i, row in enumerate(layer.by_group.rows)
        for j, column in enumerate(layer.by_group.columns)
        if row != column
    ] if layer.by_group is not None else []  # fmt: skip
    if not found:
        return None
    lift, row, column = max(found)
    return row, column, lift
